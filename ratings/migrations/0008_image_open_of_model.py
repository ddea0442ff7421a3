from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside the ratings that go on: the table may hold ten million images.
    atomic = False

    dependencies = [
        ("ratings", "0007_imported_ratings_checked"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="image",
            index=models.Index(
                condition=models.Q(("is_open", True), models.Q(("model_name", ""), _negated=True)),
                fields=["dataset", "adult_class", "model_name", "sampling_key"],
                name="image_open_of_model",
            ),
        ),
    ]
