"""Data for benchmarks, made by the database itself; ids are computed, so that pgbench can name them too."""

import hashlib
import uuid
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.access import Caller, account_caller, caller_of_key
from accounts.models import IdentityKind, Scope
from accounts.providers import horde
from accounts.providers.base import KeyOwner
from accounts.providers.horde_user import HordeUser
from ratings.models import Dataset

IMAGE = "('00000000-0000-4000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"


def image_id(dataset_number: int, number: int) -> uuid.UUID:
    """Return the id of an image of a benchmark's dataset."""
    return uuid.UUID(f"00000000-0000-4000-8000-{dataset_number << 40 | number:012x}")


def make_dataset(slug: str, *, number: int, image_count: int, target: int = 1000) -> Dataset:
    """Make a dataset with that many open images, and vacuum and analyze as a settled database would be."""
    dataset = Dataset.objects.create(slug=slug, name=slug, licence="CC0-1.0", target_rating_count=target)
    run(
        f"""
        INSERT INTO ratings_image (id, dataset_id, status, adult_class, is_open, sampling_key, rating_count,
            aesthetic_sum, artifacts_count, artifacts_sum, sha256, width, height, mime, source_id, source_url,
            licence, prompt, model_name, generation, created_at)
        SELECT {IMAGE.format("%(base)s::bigint + n")}, %(dataset)s, 'active', 'safe', true,
            hashint8extended(n, 7)::bit(32)::int, 0, 0, 0, 0, md5(n::text) || md5(n::text), 768, 768,
            'image/webp', n::text, '', '', 'a prompt of some length, as people write them', 'a model', '{{}}', now()
        FROM generate_series(1, %(count)s) n
        """,
        base=number << 40,
        dataset=dataset.pk,
        count=image_count,
    )
    dataset.image_count = image_count
    dataset.save(update_fields=["image_count"])
    return dataset


def make_callers(count: int, *, prefix: str = "bench") -> list[Caller]:
    """Make users with identity, rater, kudos account and an API key that `key_of` computes."""
    run(
        """
        WITH users AS (
            INSERT INTO accounts_user (username, email, password, is_superuser, is_staff, is_active, date_joined)
            SELECT %(prefix)s || n, %(prefix)s || n || '@example.org', '!', false, false, true, now()
            FROM generate_series(1, %(count)s) n RETURNING id
        ), identities AS (
            INSERT INTO accounts_identity (kind, external_id, user_id, created_at)
            SELECT 'account', id, id, now() FROM users RETURNING id
        ), raters AS (
            INSERT INTO ratings_rater (identity_id, state, is_shared, is_trusted, rating_count, counted_count,
                challenges_failed, pseudonym_seed, created_at)
            SELECT id, 'calibrated', false, false, 0, 0, 0, gen_random_uuid(), now() FROM identities
        )
        INSERT INTO kudos_account (kind, identity_id, balance, created_at)
        SELECT 'user', id, 0, now() FROM identities
        """,
        prefix=prefix,
        count=count,
    )
    rows = fetch(
        "SELECT u.id, i.id FROM accounts_user u JOIN accounts_identity i ON i.user_id = u.id"
        " WHERE u.username LIKE %(like)s ORDER BY u.id",
        like=f"{prefix}%",
    )
    make_keys([user_id for user_id, _ in rows])
    return [account_caller(user_id, identity_id, "a" * 32) for user_id, identity_id in rows]


def make_keys(user_ids: list[int]) -> None:
    from accounts.models import ApiKey

    ApiKey.objects.bulk_create(
        ApiKey(
            user_id=user_id,
            name="bench",
            prefix=key_of(user_id)[:8],
            digest=hashlib.sha256(key_of(user_id).encode()).hexdigest(),
            created_at=timezone.now(),
        )
        for user_id in user_ids
    )


def key_of(user_id: int) -> str:
    """Return the key of a benchmark's user, of the length that real ones have."""
    return f"{user_id:08d}{'b' * 14}"


def make_horde_callers(count: int) -> list[Caller]:
    """Make users of AI Horde, numbered from 1, who have rated here before."""
    run(
        """
        WITH identities AS (
            INSERT INTO accounts_identity (kind, external_id, name, key_digest, created_at)
            SELECT 'horde', n, 'user#' || n, '', now() FROM generate_series(1, %(count)s) n RETURNING id
        ), raters AS (
            INSERT INTO ratings_rater (identity_id, state, is_shared, is_trusted, rating_count, counted_count,
                challenges_failed, pseudonym_seed, created_at)
            SELECT id, 'new', false, false, 0, 0, 0, gen_random_uuid(), now() FROM identities
        )
        INSERT INTO kudos_account (kind, identity_id, balance, created_at)
        SELECT 'user', id, 0, now() FROM identities
        """,
        count=count,
    )
    rows = fetch("SELECT external_id, id FROM accounts_identity WHERE kind = 'horde' ORDER BY id")
    scopes = (Scope.RATE.value, Scope.READ.value)
    owners = [KeyOwner(IdentityKind.HORDE, number, identity_id, None, scopes) for number, identity_id in rows]
    return [caller_of_key(owner, "a" * 32) for owner in owners]


def remember_horde_keys(callers: list[Caller]) -> None:
    """Let Valkey know whose the keys of users of AI Horde are, as if it had said so just now."""
    moment = timezone.now()
    for caller in callers:
        number = int(caller.external_id)
        user = HordeUser(number, f"user#{number}", False, 12, 34, moment - timedelta(days=99), moment)
        horde._remember(horde.digest_horde_key(key_for(caller)), horde.Remembered(moment, user), keep=horde.KEPT)


def key_for(caller: Caller) -> str:
    """Return the key of a benchmark's caller."""
    return key_of(caller.user_id) if caller.user_id else f"{int(caller.external_id):08d}{'h' * 14}"


def add_ratings(caller: Caller, *, dataset: Dataset, where: str) -> None:
    """Record that a caller has rated the images that ``where`` names (columns of ``i``, row number ``n``)."""
    run(
        f"""
        INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state,
            created_at, reward, proof, is_late, client_agent, address_hash, country, scale_version,
            rater_is_trusted, rater_rating_count, rater_challenges_failed)
        SELECT i.dataset_id, i.id, t.id, false, 5, 1, 'held', now(), 5, 'lease', false, 'bench:1:x', '', '', 1,
            false, 0, 0
        FROM ratings_rater t, (
            SELECT *, row_number() OVER (ORDER BY sampling_key) AS n FROM ratings_image
            WHERE dataset_id = %(dataset)s
        ) i
        WHERE t.identity_id = %(identity)s AND ({where})
        """,
        dataset=dataset.pk,
        identity=caller.identity_id,
    )


def settle_down() -> None:
    """Vacuum and analyze, and write out what is dirty, so that a measurement does not pay for the set-up."""
    for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
        run(statement)


def run(sql: str, **params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def fetch(sql: str, **params: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall()
