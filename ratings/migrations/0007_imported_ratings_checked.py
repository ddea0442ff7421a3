from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own, so that the lock of the one before is gone while the rows are read."""

    dependencies = [
        ("ratings", "0006_imported_ratings"),
    ]

    operations = [
        ValidateConstraint(model_name="rating", name="rating_import_may_be_repeated"),
    ]
