"""Sets of images and what was found best of them, as relays send them."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# Django has no foreign key of two columns. The best of a set is one of its images, or the row is refused.
BEST_IS_IN_ITS_SET = """
    ALTER TABLE ratings_comparison ADD CONSTRAINT comparison_best_is_in_its_set
    FOREIGN KEY (image_set_id, best_id) REFERENCES ratings_imageinset (image_set_id, image_id)
    DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ratings", "0003_moderation_and_pending_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="rater",
            name="is_trusted_elsewhere",
            field=models.BooleanField(blank=True, null=True, verbose_name="trusted by the service they come from"),
        ),
        migrations.AddField(
            model_name="rating",
            name="rater_is_trusted_elsewhere",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="ImageInSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="ratings.image"
                    ),
                ),
            ],
            options={
                "verbose_name": "image in a set",
                "verbose_name_plural": "images in sets",
            },
        ),
        migrations.CreateModel(
            name="ImageSet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("image_count", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "dataset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="image_sets",
                        to="ratings.dataset",
                    ),
                ),
                (
                    "images",
                    models.ManyToManyField(related_name="image_sets", through="ratings.ImageInSet", to="ratings.image"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="imageinset",
            name="image_set",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="places",
                to="ratings.imageset",
            ),
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_shared", models.BooleanField(default=False, verbose_name="by a shared rater")),
                (
                    "best_from",
                    models.CharField(
                        choices=[
                            ("given", "chosen by the rater"),
                            ("only", "derived: the only image rated, with 7 or more"),
                            ("highest", "derived: the image rated highest"),
                        ],
                        max_length=8,
                        verbose_name="where the best is known from",
                    ),
                ),
                ("is_tied", models.BooleanField(default=False, verbose_name="derived from a tie")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="answered")),
                (
                    "proof",
                    models.CharField(
                        choices=[
                            ("lease", "the signed lease came back"),
                            ("lookup", "an old client: the live lease was found by image"),
                            ("hash", "the hash of the bytes shown came back with the lease"),
                            ("relay", "a relay vouches for it"),
                            ("held", "none: leases could not be looked up"),
                        ],
                        max_length=8,
                    ),
                ),
                ("client_agent", models.CharField(max_length=200)),
                ("address_hash", models.CharField(blank=True, max_length=32, verbose_name="keyed hash of the address")),
                ("country", models.CharField(blank=True, max_length=2)),
                ("rater_images_generated", models.PositiveBigIntegerField(blank=True, null=True)),
                ("rater_kudos", models.BigIntegerField(blank=True, null=True)),
                ("rater_account_age", models.PositiveIntegerField(blank=True, null=True, verbose_name="seconds")),
                ("rater_is_trusted", models.BooleanField(default=False)),
                ("rater_is_trusted_elsewhere", models.BooleanField(blank=True, null=True)),
                ("rater_rating_count", models.PositiveIntegerField(default=0)),
                ("rater_challenges_failed", models.IntegerField(default=0)),
                (
                    "best",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ratings.image"
                    ),
                ),
                (
                    "rater",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="comparisons", to="ratings.rater"
                    ),
                ),
                (
                    "image_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="comparisons", to="ratings.imageset"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="imageset",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_count__gte", 1)), name="image_set_has_an_image"
            ),
        ),
        migrations.AddConstraint(
            model_name="imageinset",
            constraint=models.UniqueConstraint(fields=("image_set", "image"), name="image_in_set_once"),
        ),
        migrations.AddConstraint(
            model_name="imageinset",
            constraint=models.UniqueConstraint(fields=("image_set", "position"), name="image_in_set_has_its_own_place"),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_shared", False)),
                fields=("rater", "image_set"),
                name="comparison_one_for_each_rater_and_set",
            ),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_tied", False), ("best_from", "highest"), _connector="OR"),
                name="comparison_tie_implies_derived",
            ),
        ),
        migrations.RunSQL(
            BEST_IS_IN_ITS_SET, "ALTER TABLE ratings_comparison DROP CONSTRAINT comparison_best_is_in_its_set"
        ),
    ]
