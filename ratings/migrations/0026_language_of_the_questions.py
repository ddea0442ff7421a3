from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ratings", "0025_appeals"),
    ]

    operations = [
        migrations.AddField(
            model_name=name,
            name="language",
            field=models.CharField(blank=True, db_default="", max_length=10, verbose_name="language of the questions"),
        )
        for name in ("rating", "comparison")
    ]
