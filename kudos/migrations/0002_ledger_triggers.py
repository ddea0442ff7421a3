"""The database holds the ledger: what must never be true is refused here, whoever writes.

Entries are checked by statement, with a transition table, so that a settlement of a million rewards pays
for one check and not for a million. All entries of a transaction come in one statement; that is what lets
the check be immediate rather than deferred, and what makes a posted transaction final.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION kudos_entries_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of % is refused; post a reversing transaction', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER kudos_entry_final BEFORE UPDATE OR DELETE ON kudos_entry
    FOR EACH ROW EXECUTE FUNCTION kudos_entries_are_final();
CREATE TRIGGER kudos_transaction_final BEFORE UPDATE OR DELETE ON kudos_transaction
    FOR EACH ROW EXECUTE FUNCTION kudos_entries_are_final();

CREATE FUNCTION kudos_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    offending bigint;
BEGIN
    SELECT transaction_id INTO offending FROM posted GROUP BY transaction_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction % does not sum to zero', offending USING ERRCODE = 'check_violation';
    END IF;

    SELECT p.transaction_id INTO offending
        FROM (SELECT transaction_id, count(*) AS legs FROM posted GROUP BY transaction_id) p
        WHERE (SELECT count(*) FROM kudos_entry e WHERE e.transaction_id = p.transaction_id) <> p.legs LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction % is posted already; its entries are final', offending
            USING ERRCODE = 'restrict_violation';
    END IF;

    -- Locked in one order, so that two postings over the same accounts wait instead of deadlocking.
    PERFORM 1 FROM kudos_account
        WHERE id IN (SELECT account_id FROM posted) AND kind = 'user' ORDER BY id FOR NO KEY UPDATE;
    UPDATE kudos_account a SET balance = a.balance + p.amount
        FROM (SELECT account_id, sum(amount)::bigint AS amount FROM posted GROUP BY account_id) p
        WHERE a.id = p.account_id AND a.kind = 'user' AND p.amount <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER kudos_entry_balance AFTER INSERT ON kudos_entry
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION kudos_entries_balance();

CREATE FUNCTION kudos_balance_follows_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Depth 2 means that the trigger above made this change; depth 1 means that somebody else did.
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a balance changes only with the entries of a transaction' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER kudos_account_balance BEFORE UPDATE ON kudos_account
    FOR EACH ROW WHEN (OLD.balance IS DISTINCT FROM NEW.balance) EXECUTE FUNCTION kudos_balance_follows_entries();

CREATE FUNCTION kudos_account_starts_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a new account starts at zero' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER kudos_account_empty BEFORE INSERT ON kudos_account
    FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION kudos_account_starts_empty();

CREATE FUNCTION kudos_transaction_has_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM kudos_entry WHERE transaction_id = NEW.id) THEN
        RAISE EXCEPTION 'transaction % has no entries', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER kudos_transaction_has_entries AFTER INSERT ON kudos_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kudos_transaction_has_entries();
"""

DROP = """
DROP TRIGGER kudos_transaction_has_entries ON kudos_transaction;
DROP TRIGGER kudos_account_empty ON kudos_account;
DROP TRIGGER kudos_account_balance ON kudos_account;
DROP TRIGGER kudos_entry_balance ON kudos_entry;
DROP TRIGGER kudos_transaction_final ON kudos_transaction;
DROP TRIGGER kudos_entry_final ON kudos_entry;
DROP FUNCTION kudos_transaction_has_entries();
DROP FUNCTION kudos_account_starts_empty();
DROP FUNCTION kudos_balance_follows_entries();
DROP FUNCTION kudos_entries_balance();
DROP FUNCTION kudos_entries_are_final();
"""


class Migration(migrations.Migration):
    dependencies = [("kudos", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
