"""Comparisons of our own beside those of relays: outcomes, states, leases, rewards, the order shown."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.lookups
import django.utils.timezone
from django.db import migrations, models

# Those that there are came from relays, which name the images of a set in an order and not how they were shown.
# The key is that of ratings.models.key_of_images.
FILL_IN = """
    UPDATE ratings_comparison c SET image_ids = s.ids, images_key = s.key,
        state = CASE WHEN t.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END
    FROM ratings_rater t, (
        SELECT image_set_id, array_agg(image_id ORDER BY position) AS ids,
            substr(encode(sha256(convert_to(
                string_agg(image_id::text, ',' ORDER BY image_id::text COLLATE "C"), 'UTF8'
            )), 'hex'), 1, 32)::uuid AS key
        FROM ratings_imageinset GROUP BY image_set_id
    ) s
    WHERE s.image_set_id = c.image_set_id AND t.id = c.rater_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kudos", "0003_payout"),
        ("ratings", "0012_image_looks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ComparisonRevision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("best", "one is the best"),
                            ("tie", "several are as good"),
                            ("all_bad", "all of them are bad"),
                        ],
                        max_length=8,
                        verbose_name="outcome before",
                    ),
                ),
                ("revised_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("idempotency_key", models.CharField(blank=True, max_length=40, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SetSkip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("images_key", models.UUIDField(verbose_name="key of the images")),
                ("reason", models.CharField(blank=True, max_length=16)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name="comparison",
            name="idempotency_key",
            field=models.CharField(blank=True, max_length=80, null=True),
        ),
        migrations.AddField(
            model_name="comparison",
            name="image_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), default=list, size=None, verbose_name="images in the order shown"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="comparison",
            name="images_key",
            field=models.UUIDField(
                default=uuid.UUID("00000000-0000-0000-0000-000000000000"), verbose_name="key of the images"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="comparison",
            name="is_late",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="answered after the live lease had ended"
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="issued_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="comparison",
            name="lease_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="comparison",
            name="moderation_action",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="comparisons",
                to="ratings.moderationaction",
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("best", "one is the best"),
                    ("tie", "several are as good"),
                    ("all_bad", "all of them are bad"),
                ],
                db_default="best",
                default="best",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="revision_count",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="times revised"),
        ),
        migrations.AddField(
            model_name="comparison",
            name="reward",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="comparison",
            name="scale_version",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, verbose_name="version of the question's wording"
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="settlement",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kudos.transaction",
            ),
        ),
        migrations.AddField(
            model_name="comparison",
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
            model_name="comparison",
            name="void_debit",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="best",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ratings.image"
            ),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="best_from",
            field=models.CharField(
                choices=[
                    ("given", "chosen by the rater"),
                    ("only", "derived: the only image rated, with 7 or more"),
                    ("highest", "derived: the image rated highest"),
                ],
                max_length=8,
                verbose_name="where the outcome is known from",
            ),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="rater",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="comparisons",
                to="ratings.rater",
            ),
        ),
        migrations.AlterField(
            model_name="moderationaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("void_ratings", "ratings voided"),
                    ("restore_ratings", "ratings restored"),
                    ("void_comparisons", "comparisons voided"),
                    ("restore_comparisons", "comparisons restored"),
                    ("pause_dataset", "dataset paused"),
                    ("open_dataset", "dataset opened"),
                    ("hide_image", "image hidden"),
                    ("restore_image", "image restored"),
                    ("quarantine_rater", "rater quarantined"),
                    ("end_quarantine", "quarantine ended"),
                    ("validate_rater", "rater validated"),
                    ("end_validation", "validation ended"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunSQL(FILL_IN, migrations.RunSQL.noop, elidable=True),
        migrations.AddIndex(
            model_name="comparison",
            index=models.Index(fields=["rater", "images_key"], name="comparison_images_probe"),
        ),
        migrations.AddIndex(
            model_name="comparison",
            index=models.Index(fields=["rater", "-id"], name="comparison_history"),
        ),
        migrations.AddIndex(
            model_name="comparison",
            index=models.Index(
                condition=models.Q(("reward__gt", 0), ("settlement__isnull", True)),
                fields=["rater", "created_at"],
                name="comparison_reward_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="comparison",
            index=models.Index(
                condition=models.Q(("moderation_action__isnull", False)),
                fields=["moderation_action"],
                name="comparison_of_action",
            ),
        ),
        migrations.AddIndex(
            model_name="comparison",
            index=models.Index(
                condition=models.Q(("state", "counted"), _negated=True),
                fields=["state", "-id"],
                name="comparison_not_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="imageset",
            index=models.Index(fields=["dataset", "id"], name="image_set_pick"),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.UniqueConstraint(fields=("lease_id",), name="comparison_one_for_each_lease"),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("rater", "idempotency_key"),
                name="comparison_one_for_each_idempotency_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("best__isnull", False), ("outcome", "best")),
                    models.Q(models.Q(("outcome", "best"), _negated=True), ("best__isnull", True)),
                    _connector="OR",
                ),
                name="comparison_best_if_and_only_if_one_is",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("best__isnull", True),
                    django.db.models.lookups.IsNull(
                        models.Func(
                            models.F("image_ids"),
                            models.F("best"),
                            function="array_position",
                            output_field=models.IntegerField(),
                        ),
                        False,
                    ),
                    _connector="OR",
                ),
                name="comparison_best_was_shown",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proof", "relay"),
                    models.Q(("image_ids__len__gte", 2), ("image_ids__len__lte", 4)),
                    _connector="OR",
                ),
                name="comparison_shows_two_to_four",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("void_debit__isnull", True),
                    models.Q(("settlement__isnull", False), ("state", "voided")),
                    _connector="OR",
                ),
                name="comparison_debit_implies_voided_and_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "voided"), _negated=True), ("moderation_action__isnull", False), _connector="OR"
                ),
                name="comparison_void_names_an_action",
            ),
        ),
        migrations.AddField(
            model_name="comparisonrevision",
            name="best",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ratings.image",
            ),
        ),
        migrations.AddField(
            model_name="comparisonrevision",
            name="comparison",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="revisions",
                to="ratings.comparison",
            ),
        ),
        migrations.AddField(
            model_name="setskip",
            name="rater",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="set_skips",
                to="ratings.rater",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparisonrevision",
            constraint=models.UniqueConstraint(
                fields=("comparison", "number"), name="comparison_revision_one_for_each_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="comparisonrevision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("comparison", "idempotency_key"),
                name="comparison_revision_one_for_each_idempotency_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparisonrevision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("best__isnull", False), ("outcome", "best")),
                    models.Q(models.Q(("outcome", "best"), _negated=True), ("best__isnull", True)),
                    _connector="OR",
                ),
                name="comparison_revision_best_if_and_only_if_one_is",
            ),
        ),
        migrations.AddConstraint(
            model_name="setskip",
            constraint=models.UniqueConstraint(
                fields=("rater", "images_key"), name="set_skip_one_for_each_rater_and_images"
            ),
        ),
    ]
