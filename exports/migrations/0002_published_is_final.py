"""A published release never changes: the database refuses, whoever writes."""

from django.db import migrations

CREATE = """
CREATE FUNCTION exports_release_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'release % is published: % is refused; publish another version', OLD.version, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER exports_release_final BEFORE UPDATE OR DELETE ON exports_release
    FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION exports_release_is_final();

CREATE FUNCTION exports_release_files_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_final boolean;
BEGIN
    -- Locked, so that a file cannot slip in while another transaction is publishing the release.
    SELECT bool_or(state = 'published') INTO is_final FROM (
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

CREATE TRIGGER exports_release_files_final BEFORE INSERT OR UPDATE OR DELETE ON exports_releasefile
    FOR EACH ROW EXECUTE FUNCTION exports_release_files_are_final();
"""

DROP = """
DROP TRIGGER exports_release_files_final ON exports_releasefile;
DROP FUNCTION exports_release_files_are_final();
DROP TRIGGER exports_release_final ON exports_release;
DROP FUNCTION exports_release_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
