"""The parts of a server that serve APIs of others, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from troth.calls.api_ledger import ApiLedger
from troth.calls.api_uses import ApiUses
from troth.calls.apis import Apis
from troth.calls.own_apis import OwnApis
from troth.calls.routing import RoutingTable
from troth.commands.alerts import alert_handlers
from troth.commands.bus import ApiListener, Bus, Handler
from troth.commands.gateway import gateway_handlers
from troth.doors.gateway.addresses import Addresses
from troth.doors.gateway.alerting import Alerting
from troth.doors.gateway.door import GatewayDoor
from troth.doors.server.launching import listed
from troth.errors import MalformedSetting
from troth.home import Home
from troth.registry.database import Database
from troth.settings import Settings
from troth.versions.lifecycles.brownouts import LONGEST_NOTICE


@dataclass(slots=True)
class Gateway:
    """What knows of APIs, counts who calls them, hands requests on, and tells who uses what will go."""

    apis: Apis
    ledger: ApiLedger
    door: GatewayDoor
    alerting: Alerting

    def start(self, database: Database) -> None:
        """Reads the APIs, and begins to tell."""
        with database.read() as connection:
            self.apis.load(connection)
        self.alerting.start()

    async def close(self) -> None:
        """Ends what goes on."""
        await self.alerting.close()
        await self.door.close()


def open_gateway(
    settings: Settings, home: Home, database: Database, table: RoutingTable, bus: Bus, fronts: ApiListener
) -> Gateway:
    """The parts, which hear of every change of a state, as the `fronts` do. Raises MalformedSetting."""
    apis = Apis(OwnApis())
    bus.tell_of_apis(apis)
    bus.tell_of_apis(fronts)
    ledger = ApiLedger(ApiUses(), apis)
    addresses = Addresses(listed(settings.gateway_allow))
    door = GatewayDoor(table, apis, ledger.uses, addresses)
    return Gateway(apis, ledger, door, Alerting(database, addresses, home.webhook_key()))


def handlers_of_gateway(home: Home, settings: Settings) -> dict[str, Handler]:
    """Every command of the gateway and of alerts by its name."""
    if not 0 <= settings.brownout_notice_days <= LONGEST_NOTICE:
        raise MalformedSetting(
            f"brownout_notice_days cannot be {settings.brownout_notice_days}",
            why=f"it is from 0 to {LONGEST_NOTICE}",
            repair="leave it out, or write 7",
        )
    trouble = Addresses(listed(settings.gateway_allow)).trouble
    notice = timedelta(days=settings.brownout_notice_days)
    return {**gateway_handlers(trouble, notice), **alert_handlers(home.webhook_key())}
