"""A key may be one of a relay."""

import django.contrib.postgres.fields
from django.db import migrations, models

import accounts.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_identity_name"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("rate", "rate images"),
                        ("read", "read my own ratings and kudos"),
                        ("moderate", "moderate, where the user may"),
                        ("relay", "submit what a service's own users rate"),
                    ],
                    max_length=16,
                ),
                default=accounts.models.default_scopes,
                size=None,
            ),
        ),
    ]
