"""Controls are handed out: what is known of gold, and all that an answer to one needs to be like a rating."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kudos", "0003_payout"),
        ("ratings", "0021_signals_and_waiting"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="controlanswer",
            name="control_answer_gold_once_for_each_rater",
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="is_artifacts_unsure",
            field=models.BooleanField(db_default=False, default=False, verbose_name="could not judge the artifacts"),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="is_shared",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="looked_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="saw what others said; not to be revised since"
            ),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="revision_count",
            field=models.SmallIntegerField(db_default=0, default=0, verbose_name="times revised"),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="revision_keys",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=80),
                blank=True,
                db_default=models.Value("{}"),
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="said_aesthetic",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="aesthetic, as revised"),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="said_artifacts",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="artifacts, as revised"),
        ),
        migrations.AddField(
            model_name="controlanswer",
            name="state",
            field=models.CharField(
                choices=[
                    ("counted", "counted"),
                    ("held", "held: not proven yet"),
                    ("quarantined", "quarantined with its rater"),
                    ("voided", "voided by a moderator"),
                    ("superseded", "superseded by another rating of the same person"),
                ],
                db_default="counted",
                default="counted",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="goldimage",
            name="aesthetic",
            field=models.FloatField(blank=True, null=True, verbose_name="known score"),
        ),
        migrations.AddField(
            model_name="goldimage",
            name="aesthetic_share",
            field=models.FloatField(blank=True, null=True, verbose_name="share of the gold below that"),
        ),
        migrations.AddField(
            model_name="goldimage",
            name="artifacts",
            field=models.FloatField(blank=True, null=True, verbose_name="known artifacts"),
        ),
        migrations.AddField(
            model_name="goldimage",
            name="artifacts_share",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="goldimage",
            name="state",
            field=models.CharField(
                choices=[
                    ("raising", "raising: gathers ratings of raters who are trusted"),
                    ("in_use", "in use: measures raters"),
                    ("decoy", "decoy: kept out of releases as gold is, and else an image as any other"),
                    ("retired", "retired: an image as any other"),
                ],
                default="raising",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="controlanswer",
            index=models.Index(
                condition=models.Q(("is_shared", True)),
                fields=["rater", "address_hash", "image"],
                name="control_answer_shared_probe",
            ),
        ),
        migrations.AddConstraint(
            model_name="controlanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("said_aesthetic__isnull", True),
                        models.Q(("said_aesthetic__gte", 1), ("said_aesthetic__lte", 10)),
                        _connector="OR",
                    ),
                    models.Q(("said_artifacts__isnull", True), ("said_artifacts__lte", 5), _connector="OR"),
                ),
                name="control_answer_said_within_scale",
            ),
        ),
        migrations.AddConstraint(
            model_name="controlanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_shared", False)),
                fields=("rater", "image", "kind"),
                name="control_answer_once_for_each_rater",
            ),
        ),
        migrations.AddConstraint(
            model_name="goldimage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("aesthetic_share__gt", 0),
                    ("aesthetic_share__lt", 1),
                    ("artifacts_share__gt", 0),
                    ("artifacts_share__lt", 1),
                ),
                name="gold_image_shares_are_between",
            ),
        ),
    ]
