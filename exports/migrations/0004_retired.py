"""A release that has been kept long enough gives up its files; what they were stays, and stays final."""

from django.db import migrations, models

FINAL = """
CREATE OR REPLACE FUNCTION exports_release_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'retired'
        AND to_jsonb(NEW) - 'state' - 'retired_at' = to_jsonb(OLD) - 'state' - 'retired_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'release % is published: % is refused; publish another version', OLD.version, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE TRIGGER exports_release_final BEFORE UPDATE OR DELETE ON exports_release
    FOR EACH ROW WHEN (OLD.state IN ('published', 'retired')) EXECUTE FUNCTION exports_release_is_final();

CREATE OR REPLACE FUNCTION exports_release_files_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_final boolean;
BEGIN
    -- Locked, so that a file cannot slip in while another transaction is publishing the release.
    SELECT bool_or(state IN ('published', 'retired')) INTO is_final FROM (
        SELECT state FROM exports_release
        WHERE id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.release_id END,
                     CASE WHEN TG_OP <> 'DELETE' THEN NEW.release_id END)
        FOR SHARE
    ) release;
    IF is_final THEN
        RAISE EXCEPTION 'the files of a published release are final: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0003_comparison_count")]
    operations = [
        migrations.AddField("release", "retired_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField(
            "release",
            "state",
            models.CharField(
                choices=[
                    ("building", "building"),
                    ("published", "published"),
                    ("failed", "failed"),
                    ("retired", "retired: its files are gone"),
                ],
                default="building",
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint("release", "release_published_has_times"),
        migrations.AddConstraint(
            "release",
            models.CheckConstraint(
                condition=~models.Q(state__in=["published", "retired"])
                | models.Q(published_at__isnull=False, snapshot_at__isnull=False),
                name="release_published_has_times",
            ),
        ),
        migrations.AddConstraint(
            "release",
            models.CheckConstraint(
                condition=models.Q(state="retired", retired_at__isnull=False)
                | (~models.Q(state="retired") & models.Q(retired_at=None)),
                name="release_retired_has_a_time",
            ),
        ),
        migrations.RunSQL(FINAL, migrations.RunSQL.noop),
    ]
