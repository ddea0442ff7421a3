from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own, so that the lock of the one before is gone while the rows are read."""

    dependencies = [
<<<<<<<< HEAD:ratings/migrations/0024_comparison_measurements_checked.py
        ("ratings", "0023_comparison_measurements"),
========
        ("ratings", "0022_comparison_measurements"),
>>>>>>>> 16fde5c (Comparing in a browser: the tests of the rating page's qualities, for sets):ratings/migrations/0023_comparison_measurements_checked.py
    ]

    operations = [
        ValidateConstraint(model_name="comparison", name="comparison_measurements_are_positive"),
    ]
