"""The schema: every key that hailwhale writes, and nothing else knows how they look.

    {prefix}:{PK}rows                             hash    path -> row number
    {prefix}:{PK}tables                           hash    table -> how many children it has; "" -> the next free row
    {prefix}:{PK}names:TABLE                      string  the table's children, one a line
    {prefix}:{PK}numbers:TABLE                    string  their row numbers, 4 bytes each, little-endian
    {prefix}:{PK}metrics                          set     the metrics that were ever counted
    {prefix}:{PK}spans                            zset    "interval:span" that have tiles -> when they expire
    {prefix}:{PK}marks                            hash    stream of the hail -> the last position that is counted here;
                                                          "dead:" and a letter, once that was counted after all
    {prefix}:{PK}tile:INTERVAL:SLOT:PAGE:METRIC   hash or string, see `tiles`
    {prefix}:{PK}sums                             hash    of a decision: name of a sum -> its place in evidence
    {prefix}:{PK}options                          hash    of a decision: option -> its number in evidence
    {prefix}:{PK}evidence:INTERVAL:BUCKET         hash    cell and group of options -> sums, see `evidence`
    {prefix}:{PK}fits                             hash    of a decision: terms -> what a policy assumes, in JSON
    {prefix}:{PK}choices                          stream  of a decision: what was decided lately, and earned
    {prefix}:{PK}chosen:WHO                       hash    of a decision: what was decided for somebody, and earned
    {prefix}:counters                             zset    every pk of one name, in the order of the alphabet
    {prefix}:store                                hash    what the stored numbers mean: schema, zone, places
    {prefix}:salt:YYYY-MM-DD                      string  random bytes of that day; soon after its end they are gone

    {prefix}:hail                                 set     the streams that the hail was ever appended to
    {prefix}:hail:{N}log                          stream  events that wait to be counted, and those counted just now
    {prefix}:hail:{N}state                        hash    how far the drain has come, and what it has met with
    {prefix}:hail:{N}marks                        hash    pk -> the last position that the drain has counted there
    {prefix}:hail:{N}dead                         hash    position, pk, metric -> what cannot be counted, and why
    {prefix}:hail:{N}ids:DAY                      set     ids of events that came with one
    {prefix}:hail:{N}lease                        string  who drains it now
    {prefix}:dropped                              string  how many events were dropped before they reached the hail
    {prefix}:spy:UID                              list    what was last logged of a visitor

PK and TABLE are path texts; a table is named by the path whose children it holds (`_` for the whole). The table of a
pk's child counters has a name that no path has, `/pks`.

The braces are Redis Cluster's hash tag: all keys of one pk lie in one slot, and so do those of one stream of the hail;
different pks and streams spread over the nodes. The hail may live on another server.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes keys under one prefix."""

    prefix: str = "hw"

    @property
    def store(self) -> str:
        return f"{self.prefix}:store"

    @property
    def counters(self) -> str:
        return f"{self.prefix}:counters"

    def salt(self, day: str) -> str:
        return f"{self.prefix}:salt:{day}"

    def of(self, pk: str) -> str:
        """What every key of a pk begins with."""
        return f"{self.prefix}:{{{pk}}}"

    def rows(self, pk: str) -> str:
        return f"{self.of(pk)}rows"

    def tables(self, pk: str) -> str:
        return f"{self.of(pk)}tables"

    def names(self, pk: str, table: str) -> str:
        return f"{self.of(pk)}names:{table}"

    def numbers(self, pk: str, table: str) -> str:
        return f"{self.of(pk)}numbers:{table}"

    def metrics(self, pk: str) -> str:
        return f"{self.of(pk)}metrics"

    def spans(self, pk: str) -> str:
        return f"{self.of(pk)}spans"

    def marks(self, pk: str) -> str:
        return f"{self.of(pk)}marks"

    def sums(self, pk: str) -> str:
        return f"{self.of(pk)}sums"

    def options(self, pk: str) -> str:
        return f"{self.of(pk)}options"

    def evidence(self, pk: str, interval: str, bucket: int) -> str:
        return f"{self.of(pk)}evidence:{interval}:{bucket}"

    def fits(self, pk: str) -> str:
        return f"{self.of(pk)}fits"

    def choices(self, pk: str) -> str:
        return f"{self.of(pk)}choices"

    def chosen(self, pk: str, who: str) -> str:
        return f"{self.of(pk)}chosen:{who}"

    @property
    def streams(self) -> str:
        return f"{self.prefix}:hail"

    def hail(self, stream: int, what: str) -> str:
        """`what` is kept of a stream: `log`, `state`, `marks`, `dead`, `ids:DAY` or `lease`."""
        return f"{self.prefix}:hail:{{{stream}}}{what}"

    @property
    def dropped(self) -> str:
        return f"{self.prefix}:dropped"

    def spy(self, uid: str) -> str:
        return f"{self.prefix}:spy:{uid}"

    def tile(self, pk: str, interval: str, slot: int, page: int) -> str:
        """The key of a tile but for its metric, which follows."""
        return f"{self.of(pk)}tile:{interval}:{slot}:{page}:"
