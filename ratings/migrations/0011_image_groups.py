from django.db import migrations, models


class Migration(migrations.Migration):
    # Both may be empty, so nothing is rewritten; `manage.py group_images` fills them in.
    dependencies = [
        ("ratings", "0010_page_preferences"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="group_key",
            field=models.BigIntegerField(
                blank=True, editable=False, null=True, verbose_name="images with the same are kept apart"
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="perceptual_hash",
            field=models.BigIntegerField(
                blank=True,
                editable=False,
                null=True,
                verbose_name="looks, where nothing else says what it belongs with",
            ),
        ),
    ]
