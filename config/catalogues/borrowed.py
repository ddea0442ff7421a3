"""Texts of django-allauth that a page or an e-mail of ours shows, and that a catalogue of ours says in its own way.

Most of its translations are kept. Named here is what addresses the reader in another manner than we do, or is wrong;
our catalogues come before its own, whichever text they hold.
"""

from django.utils.translation import gettext_noop as _

TEXTS = (
    # Forms and their refusals
    _("The new value must be different from the current one."),
    _("You must type the same password each time."),
    _("Your primary email address must be verified."),
    _("Enter a phone number including country code (e.g. +1 for the US)."),
    _("Use your password"),
    _("Use authenticator app or code"),
    _("Use a security key"),
    # What the next page says
    _("Removed email address %(email)s."),
    _("Primary email address set."),
    _("You have verified phone number %(phone)s."),
    # E-mails
    _("Thank you for using %(site_name)s!\n%(site_domain)s"),
    _(
        "You're receiving this email because user %(user_display)s has given your email address to register an account "
        "on %(site_domain)s."
    ),
    _("Your email verification code is listed below. Please enter it in your open browser window."),
    _("To confirm this is correct, go to %(activate_url)s"),
    _(
        "You are receiving this email because you or someone else tried to signup for an\naccount using email address:"
        "\n\n%(email)s\n\nHowever, an account using that email address already exists.  In case you have\nforgotten "
        "about this, please use the password forgotten procedure to recover\nyour account:\n\n%(password_reset_url)s"
    ),
    _(
        "You're receiving this email because you or someone else has requested a password reset for your user account."
        "\nIt can be safely ignored if you did not request a password reset. "
        "Click the link below to reset your password."
    ),
    _("In case you forgot, your username is %(username)s."),
    _(
        "You are receiving this email because you, or someone else, tried to access an account with email %(email)s. "
        "However, we do not have any record of such an account in our database."
    ),
    _("This mail can be safely ignored if you did not initiate this action."),
    _("If it was you, you can sign up for an account using the link below."),
    # E-mails that are sent once ACCOUNT_EMAIL_NOTIFICATIONS or codes instead of links are switched on
    _("You are receiving this mail because the following change was made to your account:"),
    _(
        "If you do not recognize this change then please take proper security precautions immediately. The change to "
        "your account originates from:\n\n- IP address: %(ip)s\n- Browser: %(user_agent)s\n- Date: %(timestamp)s"
    ),
    _("Your email has been changed from %(from_email)s to %(to_email)s."),
    _("Your email has been confirmed."),
    _("Email address %(deleted_email)s has been removed from your account."),
    _("Your sign-in code is listed below. Please enter it in your open browser window."),
    _("Your password reset code is listed below. Please enter it in your open browser window."),
    _("Your password has been reset."),
    _("Your password has been set."),
)
