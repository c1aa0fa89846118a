"""The payments that came in last, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.insights import queries
from analytics.insights.queries import Line
from analytics.web.overview import BRANDS, METHODS
from security.web.desk import Desk

SHOWN = 8
