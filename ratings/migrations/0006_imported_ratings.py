from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ratings", "0005_quarantine"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rating",
            name="is_shared",
            field=models.BooleanField(default=False, verbose_name="may be repeated: by a shared rater, or taken over"),
        ),
        migrations.AlterField(
            model_name="rating",
            name="proof",
            field=models.CharField(
                choices=[
                    ("lease", "the signed lease came back"),
                    ("lookup", "an old client: the live lease was found by image"),
                    ("hash", "the hash of the bytes shown came back with the lease"),
                    ("relay", "a relay vouches for it"),
                    ("held", "none: leases could not be looked up"),
                    ("import", "taken over from an older export"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="proof",
            field=models.CharField(
                choices=[
                    ("lease", "the signed lease came back"),
                    ("lookup", "an old client: the live lease was found by image"),
                    ("hash", "the hash of the bytes shown came back with the lease"),
                    ("relay", "a relay vouches for it"),
                    ("held", "none: leases could not be looked up"),
                    ("import", "taken over from an older export"),
                ],
                max_length=8,
            ),
        ),
        # Not checked while the table is locked: ratings go on being stored.
        AddConstraintNotValid(
            model_name="rating",
            constraint=models.CheckConstraint(
                condition=models.Q(("proof", "import"), _negated=True) | models.Q(("is_shared", True)),
                name="rating_import_may_be_repeated",
            ),
        ),
    ]
