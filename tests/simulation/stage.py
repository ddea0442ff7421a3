"""The dataset and the accounts: made by the services that make them on every site."""

import io
from dataclasses import dataclass

import numpy as np
from allauth.account.models import EmailAddress
from django.utils import timezone
from PIL import Image as Picture

from accounts.models import User
from accounts.services import create_api_key
from ratings.importers.sources import SourceImage
from ratings.models import Image
from ratings.services.dataset import create_dataset
from ratings.services.importing import import_images
from tests.simulation.cast import ARTIFACT_SHARES, HONEST, Subject

SLUG = "simulation"
# Pictures are thin, as on a site: five or six answers on average, and room for eight, so that nobody runs out.
ANSWERS_EACH, MOST_EACH = 5.5, 8


@dataclass
class Stage:
    dataset_id: object
    subjects: dict
    """From the id of an image, as the API names it, to what the players see in it."""
    truth: np.ndarray
    """The true score of each subject, by its number."""
    keys: list
    """The key of each player."""
    addresses: list
    """Where each player's requests come from."""
    user_ids: list


def set_stage(pool_truth, players, *, seed):
    """Make dataset, pictures and accounts."""
    wanted = sum(player.wanted for player in players)
    # Every item is there, so that nobody's row is of no use in a small run.
    items, artifacts = _deal_items(len(pool_truth), max(round(wanted / ANSWERS_EACH), len(pool_truth)), seed)
    dataset = create_dataset(slug=SLUG, name="Simulation", licence="CC0-1.0", target_rating_count=MOST_EACH)
    report = import_images(dataset=dataset, sources=_pictures(len(items), seed))
    assert report.imported == len(items), report
    names = Image.objects.filter(dataset=dataset).values_list("id", "source_id")
    numbers = {str(pk): int(name) for pk, name in names}
    subjects = {pk: Subject(n, int(items[n]), int(artifacts[n])) for pk, n in numbers.items()}
    users = [_make_user(player.name) for player in players]
    now = timezone.now()
    keys = [create_api_key(user=user, name="simulation", now=now)[1] for user in users]
    addresses = [_address_of(player) for player in players]
    return Stage(dataset.pk, subjects, pool_truth[items], keys, addresses, [user.pk for user in users])


def _deal_items(item_count, image_count, seed):
    """Return the item and the artifacts of each picture; every item has equally many, give or take one."""
    dice = np.random.default_rng([seed, 3])
    items = np.concatenate([dice.permutation(item_count) for _ in range(-(-image_count // item_count))])[:image_count]
    return items, dice.choice(len(ARTIFACT_SHARES), image_count, p=ARTIFACT_SHARES)


def _pictures(count, seed):
    """Yield small pictures, no two alike; nobody looks at them, since what they show is in the players' rows."""
    for number in range(count):
        cells = np.random.default_rng([seed, 4, number]).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        file = io.BytesIO()
        Picture.fromarray(cells).resize((96, 96), Picture.Resampling.NEAREST).save(file, "PNG")
        yield SourceImage(name=str(number), source_id=str(number), has_stated_id=True, content=file.getvalue())


def _make_user(name):
    """Make an account as it stands after the code from the e-mail was typed in. It has no password: it has a key."""
    user = User(username=name, email=f"{name}@example.org")
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _address_of(player):
    """Return an address of documentation's networks or a private one: honest people have one each, scripts of a kind share one."""
    if player.kind == HONEST:
        return f"10.{player.number // 250}.{player.number % 250}.7"
    return f"192.0.2.{1 + sum(map(ord, player.kind)) % 250}"
