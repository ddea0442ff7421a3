"""Leave room in each page for counters to change in place (heap-only tuples), so that no index is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ratings", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE ratings_image SET (fillfactor = 80); ALTER TABLE ratings_rater SET (fillfactor = 70);",
            "ALTER TABLE ratings_image RESET (fillfactor); ALTER TABLE ratings_rater RESET (fillfactor);",
        )
    ]
