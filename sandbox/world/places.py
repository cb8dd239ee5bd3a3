"""Where synthetic people live, and names that are common there."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Place:
    """A city. `state` is the subdivision's code where the country uses one in addresses."""

    country: str
    country_name: str
    continent: str
    city: str
    state: str
    region_name: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def hubspot_time_zone(self) -> str:
        """HubSpot's slug, e.g. `america_slash_new_york`."""
        return self.time_zone.lower().replace("/", "_slash_").replace("-", "_hyphen_")


def _us(city: str, state: str, region_name: str, time_zone: str) -> Place:
    return Place("US", "United States", "Americas", city, state, region_name, time_zone)


PLACES: dict[str, tuple[Place, ...]] = {
    "US": (
        _us("Columbus", "OH", "Ohio", "America/New_York"), _us("Dallas", "TX", "Texas", "America/Chicago"),
        _us("Denver", "CO", "Colorado", "America/Denver"), _us("Oakland", "CA", "California", "America/Los_Angeles"),
        _us("Newark", "NJ", "New Jersey", "America/New_York"), _us("Milwaukee", "WI", "Wisconsin", "America/Chicago"),
    ),
    "GB": (Place("GB", "United Kingdom", "Europe", "Leeds", "", "England", "Europe/London"),
           Place("GB", "United Kingdom", "Europe", "Glasgow", "", "Scotland", "Europe/London")),
    "DE": (Place("DE", "Germany", "Europe", "Hamburg", "", "Hamburg", "Europe/Berlin"),
           Place("DE", "Germany", "Europe", "Leipzig", "", "Saxony", "Europe/Berlin")),
    "FR": (Place("FR", "France", "Europe", "Lyon", "", "Auvergne-Rhone-Alpes", "Europe/Paris"),),
    "CA": (Place("CA", "Canada", "Americas", "Toronto", "ON", "Ontario", "America/Toronto"),
           Place("CA", "Canada", "Americas", "Montreal", "QC", "Quebec", "America/Toronto")),
    "NL": (Place("NL", "Netherlands", "Europe", "Utrecht", "", "Utrecht", "Europe/Amsterdam"),),
    "ES": (Place("ES", "Spain", "Europe", "Valencia", "", "Valencian Community", "Europe/Madrid"),),
    "PL": (Place("PL", "Poland", "Europe", "Wroclaw", "", "Lower Silesian Voivodeship", "Europe/Warsaw"),),
    "BR": (Place("BR", "Brazil", "Americas", "Curitiba", "PR", "State of Parana", "America/Sao_Paulo"),),
    "IN": (Place("IN", "India", "Asia", "Pune", "MH", "Maharashtra", "Asia/Kolkata"),),
    "JP": (Place("JP", "Japan", "Asia", "Osaka", "", "Osaka", "Asia/Tokyo"),),
    "AU": (Place("AU", "Australia", "Oceania", "Brisbane", "QLD", "Queensland", "Australia/Brisbane"),),
}  # fmt: skip

COUNTRY_WEIGHTS = {
    "US": 50, "GB": 12, "DE": 9, "FR": 7, "CA": 7, "NL": 4, "ES": 3, "PL": 2, "BR": 2, "IN": 2, "JP": 1, "AU": 1,
}  # fmt: skip

_ENGLISH = (
    "Grace James Olivia Noah Amelia Ethan Hannah Lucas Ruby Owen Naomi Caleb Tessa Miles Imogen Darnell",
    "Walker Bennett Okafor Hughes Patel Foster Nguyen Reed O'Brien Ramirez Whitfield Carter Lindqvist Boateng Hayes Kim",
)
_NAMES = {
    "DE": (
        "Jürgen Käthe Lukas Anneliese Björn Svenja Matthias Zeynep",
        "Müller Schäfer Groß Weiß Özdemir Hoffmann Böhm Krüger",
    ),
    "FR": (
        "Zoé Étienne Chloé François Maëlle Théo Aïcha Benoît",
        "Lefèvre Moreau Gérard Dubois Benali Girard Hébert Prévost",
    ),
    "NL": (
        "Sanne Daan Fleur Thijs Noor Joris Anouk Mehmet",
        "de Vries;van den Berg;Bakker;Visser;Meijer;Kuiper;Yılmaz;Smit",
    ),
    "ES": ("Lucía Íñigo Marta Álvaro Begoña Andrés Nuria Joaquín", "García Muñoz Núñez Ibáñez Romero Ortega Peña Sáez"),
    "PL": (
        "Łukasz Zofia Paweł Małgorzata Wojciech Agnieszka Michał Żaneta",
        "Kowalska Wiśniewski Dąbrowska Zieliński Wójcik Król",
    ),
    "BR": ("João Beatriz Antônio Letícia Vinícius Conceição", "Gonçalves Araújo Magalhães Ferreira Souza Leitão"),
    "IN": ("Ananya Rohan Priya Arjun Meera Vikram", "Sharma Iyer Deshmukh Reddy Kulkarni Banerjee"),
    "JP": ("Haruka Kenji Yūko Takumi Emi Sōta", "Tanaka Itō Kobayashi Saitō Nakamura Ōno"),
}


def names(country: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """First and last names used in `country`; English ones where it has no list of its own."""
    first, last = _NAMES.get(country, _ENGLISH)
    return tuple(first.split()), tuple(last.split(";") if ";" in last else last.split())
