"""A worker that is really killed, by SIGKILL, while AI Horde is thinking."""

import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from config.embedded import CHECKOUT
from kudos.models import Payout
from kudos.services.payouts import SILENCE, expire_sending
from ratings.models import Rater
from tests.flows.conftest import child_environment, wait_until
from tests.horde_award import KEY
from tests.kudos.conftest import collect, make_horde_identity
from tests.kudos.test_payouts import send
from tests.people import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SEND = """
import django
django.setup()
from django.conf import settings
settings.HORDE_URL, settings.HORDE_AWARD_KEY, settings.HORDE_ALLOW_PRIVATE = {url!r}, {key!r}, True
from ratings.tasks import send_payouts_task
send_payouts_task()
"""


def start_worker(horde):
    command = [sys.executable, "-c", SEND.format(url=horde.url, key=KEY)]
    return subprocess.Popen(command, cwd=CHECKOUT, env=child_environment())


def test_what_a_killed_worker_has_sent_is_never_sent_again(horde, award, adds_up):
    Rater.objects.create(identity=make_horde_identity(7, 50))
    collect(award)
    thinking = threading.Event()
    horde.wait_for = thinking
    worker = start_worker(horde)
    try:
        wait_until(lambda: horde.asked, what="the request has left")
        assert Payout.objects.get().state == "sending", "the mark was committed before the request left"
    finally:
        worker.kill()
        worker.wait()
    thinking.set()
    wait_until(lambda: horde.received, what="AI Horde has awarded")
    horde.wait_for = None
    assert send(award) == 0
    assert expire_sending(now=now() + SILENCE + timedelta(minutes=1)) == 1
    assert send(award, after=timedelta(days=1)) == 0
    assert Payout.objects.get().state == "ambiguous"
    assert horde.received == {"painter#7": 50}
    adds_up()


def test_the_worker_does_send_when_it_lives(horde, award, adds_up):
    Rater.objects.create(identity=make_horde_identity(7, 50))
    collect(award)
    assert start_worker(horde).wait(30) == 0
    assert Payout.objects.get().state == "paid"
    assert horde.received == {"painter#7": 50}
    adds_up()
