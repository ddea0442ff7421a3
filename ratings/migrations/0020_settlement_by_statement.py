"""A rating's settlement is a transaction that exists: checked by statement, so that a million rows cost one look.

A foreign key looks once for each row, at the commit, which took a third of the time of a settlement. The other half of
what a foreign key does is done already: the ledger refuses to delete or rename a transaction.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION ratings_settlement_exists() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    offending bigint;
BEGIN
    SELECT s.settlement_id INTO offending
        FROM (SELECT DISTINCT settlement_id FROM changed WHERE settlement_id IS NOT NULL) s
        WHERE NOT EXISTS (SELECT FROM kudos_transaction t WHERE t.id = s.settlement_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no transaction %: "rating_settlement_is_a_transaction"', offending
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rating_settlement_is_a_transaction';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ratings_new_settlement_exists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kudos_transaction WHERE id = NEW.settlement_id) THEN
        RAISE EXCEPTION 'there is no transaction %: "rating_settlement_is_a_transaction"', NEW.settlement_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rating_settlement_is_a_transaction';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER rating_settlement_is_a_transaction AFTER UPDATE ON ratings_rating
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ratings_settlement_exists();
-- Ratings are inserted one by one and without a settlement: the condition keeps this from costing them anything.
CREATE TRIGGER rating_new_settlement_is_a_transaction AFTER INSERT ON ratings_rating
    FOR EACH ROW WHEN (NEW.settlement_id IS NOT NULL) EXECUTE FUNCTION ratings_new_settlement_exists();
"""

DROP = """
DROP TRIGGER rating_new_settlement_is_a_transaction ON ratings_rating;
DROP TRIGGER rating_settlement_is_a_transaction ON ratings_rating;
DROP FUNCTION ratings_new_settlement_exists();
DROP FUNCTION ratings_settlement_exists();
"""


class Migration(migrations.Migration):
    dependencies = [("ratings", "0019_active_days"), ("kudos", "0003_payout")]
    operations = [
        migrations.AlterField(
            model_name="rating",
            name="settlement",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kudos.transaction",
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
