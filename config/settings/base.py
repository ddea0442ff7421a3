"""Settings shared by every profile, in the order of Django's own reference.

A profile (production, local, testing) starts with ``from .base import *`` and states its differences.
"""

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from config.settings.limits import limits_from_json
from config.settings.quality import controls_from_json, policy_from_json

from .environment import Environment
from .networks import read_horde_url, read_networks

env = Environment()

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

# --- Core -----------------------------------------------------------------------------------------------

DEBUG = False
ALLOWED_HOSTS: list[str] = []
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

INSTALLED_APPS = [
    "config",
    "accounts",
    "kudos",
    "ratings",
    "exports",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "corsheaders",
    "csp",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "config.middleware.PageContentPolicy",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.PageSessions",
    "config.middleware.PageLanguage",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.PageUsers",
    "config.middleware.PageMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.Limits",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Services: PostgreSQL and the Redis protocol --------------------------------------------------------


def database_from_url(url: str) -> dict[str, object]:
    """Return Django's settings for a libpq connection URL, sockets included.

    Raises ImproperlyConfigured when the URL is empty or names no database.
    """
    parts = conninfo_to_dict(url)
    if not parts.get("dbname"):
        raise ImproperlyConfigured("DATABASE_URL must be a libpq URL, as postgresql://user:password@host/database")
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {
        "ENGINE": "config.database",
        **{setting: str(parts.pop(key, "") or "") for key, setting in known.items()},
        "OPTIONS": {
            **parts,
            "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", 8), "timeout": 5},
            "application_name": "kudoscope",
            # Lets ratings/queries/prepared.py prepare; Django's own cursors never do.
            "prepare_threshold": 5,
        },
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }


DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
if not DATABASE_URL or not REDIS_URL:
    raise ImproperlyConfigured(
        "DATABASE_URL and REDIS_URL are not set. Start commands through `python manage.py` or "
        "`python -m config.embedded -- command`, which bring embedded servers up, or set both."
    )
DATABASES = {"default": database_from_url(DATABASE_URL)}
VALKEY_TIMEOUT_SECONDS = 0.1

# --- Accounts -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "ratings:rate"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm", "signup": "accounts.forms.SignUpForm"}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Kudoscope <noreply@localhost>")

# How many proxies in front are trusted to append the client's address to a header.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
if TRUSTED_PROXY_COUNT < 0:
    raise ImproperlyConfigured("TRUSTED_PROXY_COUNT must be the number of proxies in front, or 0.")
# Which header they append to. A client's own X_Forwarded_For, with underscores, reaches us under the name of the
# first, if a proxy lets it pass; a name without a hyphen cannot be spelt in a second way.
TRUSTED_PROXY_HEADER = env.str("TRUSTED_PROXY_HEADER", "X-Forwarded-For")
if TRUSTED_PROXY_HEADER not in {"X-Forwarded-For", "Forwarded"}:
    raise ImproperlyConfigured("TRUSTED_PROXY_HEADER must be X-Forwarded-For or Forwarded.")

# AI Horde, whose users rate under their own keys; without an address nobody is asked.
HORDE_ALLOW_PRIVATE = env.bool("HORDE_ALLOW_PRIVATE", False)
HORDE_URL = read_horde_url(env.str("HORDE_URL", ""), allow_private=HORDE_ALLOW_PRIVATE)

# --- Sessions, cookies, headers ---------------------------------------------------------------------------

# In the database alone: a cache in front would sign people out, or back in, when it comes and goes.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.api_errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    # Answers of the API are data, not pages; writing the policy out for each costs a tenth of the request.
    "EXCLUDE_URL_PREFIXES": ["/api/v1/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
}
# API clients run on other origins and send keys in a header, never cookies (wire protocol, section 0, rule 6).
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/(api/v1|images|files)/"
CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS", "POST"]
CORS_ALLOW_HEADERS = [
    "accept",
    "accept-language",
    "apikey",
    "authorization",
    "client-agent",
    "content-type",
    "idempotency-key",
    "range",
    "x-fields",
]
CORS_EXPOSE_HEADERS = [
    "accept-ranges",
    "content-range",
    "etag",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-request-id",
]
CORS_PREFLIGHT_MAX_AGE = 86400

# --- Caches -----------------------------------------------------------------------------------------------

CACHES = {
    "default": {
        "BACKEND": "accounts.valkey.ForgetfulCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "kudoscope",
        "OPTIONS": {"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
    }
}

# --- Static files and media -------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.HashedModules"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
RELEASES_ROOT = VAR_DIR / "releases"
# How often a dataset that has changed gets a release of its own accord, and how old an answer must be to be in one, so
# that moderators come first.
RELEASE_EVERY = env.choice("RELEASE_EVERY", "month", among=("day", "week", "month"))
RELEASE_HOLD_BACK = timedelta(hours=env.int("RELEASE_HOLD_BACK_HOURS", 72))
# How many months a release is kept before its files go; the newest of each year stays. 0 keeps all.
RELEASE_KEEP_MONTHS = env.at_least("RELEASE_KEEP_MONTHS", 13, least=0)
# Whom fewer raters than this resemble is told less of (exports/privacy/cells.py).
RELEASE_SMALLEST_CELL = env.at_least("RELEASE_SMALLEST_CELL", 5, least=1)
# Downloads of releases that one process serves at a time: fewer than it has threads, so that some are left.
DOWNLOADS_AT_ONCE = env.int("DOWNLOADS_AT_ONCE", 2)
# Public keys whose signatures of earlier releases still hold, as minisign writes them.
SIGNING_KEYS_BEFORE = env.list("SIGNING_KEYS_BEFORE", default=[])

# --- Language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# A language is offered once its catalogue is whole: half a page in another tongue is worse than none.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- API ------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["ratings.api.limits.CallerLimits"],
    "DEFAULT_RENDERER_CLASSES": ["config.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.rendering.RawJsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.rendering.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api_errors.handle_api_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Kudoscope",
    "DESCRIPTION": "Rate images, earn kudos, download verified releases.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # who asks makes no difference, and a wrong key none either
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "tryItOutEnabled": True},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {"ReportReasonEnum": "ratings.models.ReportReason"},  # two bodies have it
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.document_limits",
    ],
}

# --- Logs -------------------------------------------------------------------------------------------------

# Addresses reach no log, and nobody's session is opened to learn who asked.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- Work -------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TASK_SOFT_TIME_LIMIT = 3540
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "worker-heartbeat": {"task": "config.celery.worker_heartbeat_task", "schedule": 15.0, "options": {"expires": 15}},
    "key-usage": {"task": "accounts.tasks.record_key_usage_task", "schedule": 60.0, "options": {"expires": 60}},
    "expired-sessions": {"task": "accounts.tasks.delete_expired_sessions_task", "schedule": crontab(hour=2, minute=30)},
    "open-image-pools": {"task": "ratings.tasks.refresh_tail_pools_task", "schedule": 20.0, "options": {"expires": 20}},
    "count-for-pages": {
        "task": "ratings.tasks.count_for_pages_task",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "update-scores": {"task": "ratings.tasks.update_scores_task", "schedule": 5.0, "options": {"expires": 5}},
    "measure-signals": {
        "task": "ratings.tasks.measure_signals_task",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "nightly-pushes": {"task": "ratings.tasks.measure_pushes_task", "schedule": crontab(hour=3, minute=10)},
    "nightly-fit": {"task": "ratings.tasks.recompute_scores_task", "schedule": crontab(hour=2, minute=45)},
    "nurseries": {"task": "ratings.tasks.maintain_nurseries_task", "schedule": 600.0, "options": {"expires": 600}},
    "settle-rewards": {"task": "ratings.tasks.settle_rewards_task", "schedule": 60.0, "options": {"expires": 60}},
    "create-payouts": {"task": "ratings.tasks.create_payouts_task", "schedule": 600.0, "options": {"expires": 600}},
    "send-payouts": {"task": "ratings.tasks.send_payouts_task", "schedule": 60.0, "options": {"expires": 60}},
    "daily-releases": {"task": "exports.tasks.build_releases_task", "schedule": crontab(hour=3, minute=30)},
    "retire-releases": {"task": "exports.tasks.retire_releases_task", "schedule": crontab(hour=5, minute=30)},
    "nightly-invariants": {"task": "config.celery.check_invariants_task", "schedule": crontab(hour=4, minute=30)},
}

# --- Rules of the service ------------------------------------------------------------------------------------

DEFAULT_DATASET = env.str("DEFAULT_DATASET", "demo")
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
REWARD_RATING = env.int("REWARD_RATING", 5)
REWARD_ARTIFACTS = env.int("REWARD_ARTIFACTS", 0)
REWARD_BEST_OF_SET = env.int("REWARD_BEST_OF_SET", 15)
REWARD_HOLD_SECONDS = env.int("REWARD_HOLD_SECONDS", 3 * 24 * 3600)
# Networks that relays call from without a key, and the most images that a set may have.
RELAY_NETWORKS = read_networks("RELAY_NETWORKS", env.list("RELAY_NETWORKS", default=[]))
RELAY_SET_LIMIT = env.int("RELAY_SET_LIMIT", 100)
if RELAY_SET_LIMIT not in range(1, 1001):
    raise ImproperlyConfigured("RELAY_SET_LIMIT must be from 1 to 1000.")
# Thresholds of the tests of raters, each with the error it allows: ratings/stats/parameters.py, docs/operations.md.
QUALITY_POLICY = policy_from_json(env.str("QUALITY_POLICY", ""))
# How many controls there are and how often they are asked: ratings/stats/controls.py.
CONTROL_POLICY = controls_from_json(env.str("CONTROL_POLICY", ""))
# How long a rater is not told that their ratings do not count.
QUARANTINE_SILENCE_SECONDS = env.int("QUARANTINE_SILENCE_SECONDS", 7 * 24 * 3600)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# The key of an AI Horde account that may award kudos; without it kudos stay here.
HORDE_AWARD_KEY = env.str("HORDE_AWARD_KEY", "")
PAYOUT_MINIMUM = env.int("PAYOUT_MINIMUM", 25)
if HORDE_AWARD_KEY and not (HORDE_URL and HORDE_AWARD_KEY.isascii() and HORDE_AWARD_KEY.isprintable()):
    raise ImproperlyConfigured("HORDE_AWARD_KEY is a key of the AI Horde that HORDE_URL must name.")
if PAYOUT_MINIMUM < 1:
    raise ImproperlyConfigured("PAYOUT_MINIMUM must be a number of kudos, 1 or more.")
LIMITS = limits_from_json(env.str("LIMITS", ""))
LIMITS_ENABLED = env.bool("LIMITS_ENABLED", True)
