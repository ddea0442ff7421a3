from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0002_published_is_final"),
    ]

    operations = [
        migrations.AddField(
            model_name="release",
            name="comparison_count",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]
