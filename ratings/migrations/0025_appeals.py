"""Who is in quarantine can appeal."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ratings", "0024_comparison_measurements_checked"),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open: is being asked repeats"),
                            ("passed", "passed: stands by what they said"),
                            ("to_person", "a person decides"),
                            ("closed", "closed: a person has decided"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=1000, verbose_name="what they have to say")),
                ("repeat_count", models.PositiveSmallIntegerField(default=0)),
                ("log_e", models.FloatField(default=0.0, verbose_name="logarithm of the e-value of the repeats")),
                ("opened_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "rater",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeals",
                        to="ratings.rater",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["rater", "-id"], name="appeal_history")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["open", "to_person"])),
                        fields=("rater",),
                        name="appeal_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("state__in", ["open", "to_person"])),
                            models.Q(("decided_at__isnull", False), ("state__in", ["passed", "closed"])),
                            _connector="OR",
                        ),
                        name="appeal_decided_has_a_time",
                    ),
                ],
            },
        ),
    ]
