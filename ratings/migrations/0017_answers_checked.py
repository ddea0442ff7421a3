from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own, so that the lock of the one before is gone while the rows are read."""

    dependencies = [
        ("ratings", "0016_answers"),
    ]

    operations = [
        ValidateConstraint(model_name="rating", name="rating_answers_a_question"),
        ValidateConstraint(model_name="rating", name="rating_unsure_of_artifacts_gives_none"),
        ValidateConstraint(model_name="rating", name="rating_measurements_are_positive"),
    ]
