from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # Built beside the ratings that go on: the table may hold ten million images.
    atomic = False

    dependencies = [
        ("ratings", "0013_comparison_outcomes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="image",
            index=models.Index(
                fields=["dataset", "adult_class", "group_key", "sampling_key"],
                condition=Q(is_open=True, group_key__isnull=False, perceptual_hash__isnull=True),
                name="image_open_of_group",
            ),
        ),
    ]
