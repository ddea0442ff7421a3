from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own, so that the lock of the one before is gone while the rows are read."""

    dependencies = [
        ("ratings", "0023_comparison_measurements"),
    ]

    operations = [
        ValidateConstraint(model_name="comparison", name="comparison_measurements_are_positive"),
    ]
