from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside the ratings that go on: the table may hold ten million images.
    atomic = False

    dependencies = [
        ("ratings", "0011_image_groups"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="image",
            index=models.Index(
                models.F("dataset"),
                models.F("perceptual_hash").bitrightshift(16 * band).bitand(0xFFFF),
                condition=models.Q(perceptual_hash__isnull=False),
                name=f"image_looks_{band}",
            ),
        )
        for band in range(4)
    ]
