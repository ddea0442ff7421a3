"""A fake AI Horde, and people who have kudos to be sent there."""

import pytest

from accounts.models import Identity
from kudos.award import HordeAward
from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from kudos.services.payouts import create_payouts
from tests.horde_award import KEY, FakeAward
from tests.people import now


@pytest.fixture
def horde():
    with FakeAward() as fake:
        yield fake


@pytest.fixture
def award(horde):
    return HordeAward(url=horde.url, key=KEY, allow_private=True)


def make_horde_identity(number, kudos=0, *, name=None, user=None):
    """Make a user of AI Horde who has earned kudos here."""
    name = f"painter#{number}" if name is None else name
    identity = Identity.objects.create(kind="horde", external_id=str(number), name=name, user=user)
    account = ensure_user_accounts([identity.pk])[identity.pk]
    if kudos:
        earn(account, kudos)
    return identity


def earn(account, kudos):
    legs = ((system_account_id(AccountKind.TREASURY), -kudos), (account, kudos))
    earn.count = getattr(earn, "count", 0) + 1
    post_transactions(reason=Reason.AWARD, postings=[Posting(f"earned:{account}:{earn.count}", legs)], now=now())


def collect(award, *, minimum=10, at=None):
    return create_payouts(payable=Identity.objects.all(), minimum=minimum, award=award, now=at or now())
