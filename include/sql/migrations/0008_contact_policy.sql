-- Contact policy: suppression lists, frequency cap, quiet hours, priority, test sends, dry runs.

-- Grain: one entry of one suppression list, with its history: an entry that was removed stays, and may be added anew.
CREATE TABLE ops.suppression (
    suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list       text NOT NULL,              -- e.g. competitors; hard_bounce and spam_complaint are kept by the loads
    kind       text NOT NULL CHECK (kind IN ('crm_id', 'person_id', 'email_sha256', 'domain')),
    value      text NOT NULL CHECK (position('@' IN value) = 0),  -- never an address: its SHA-256, trimmed, in lower case, as hex
    reason     text,
    source     text NOT NULL,              -- set_suppression | hubspot.contacts | hubspot.email_events
    added_by   text NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_by text,
    removed_at timestamptz,                -- NULL: holds
    removal_reason text
);
CREATE UNIQUE INDEX suppression_holds ON ops.suppression (kind, value, list) WHERE removed_at IS NULL;

-- Contacts that policy looks for; the next load reads every contact, for older loads did not ask for these properties.
CREATE INDEX contacts_hard_bounce ON raw_hubspot.contacts (crm_id) WHERE properties ->> 'hs_email_hard_bounce_reason_enum' IS NOT NULL;
CREATE INDEX contacts_seed ON raw_hubspot.contacts (crm_id) WHERE properties ->> 'nurture_seed' = 'true';
DELETE FROM ops.watermark WHERE source = 'hubspot.contacts';

-- What contact policy made of one person of the audience.
ALTER TABLE marts.audience ADD COLUMN suppressed_detail text;  -- the reason in words where policy has some
ALTER TABLE marts.audience ADD COLUMN time_zone text;          -- the person's, the country's or policy's default
ALTER TABLE marts.audience ADD COLUMN send_after timestamptz;  -- next moment outside of quiet hours, as of the audience step

-- What one human got lately, across campaigns.
CREATE INDEX push_ledger_person ON ops.push_ledger (person_id, claimed_at);
CREATE INDEX push_ledger_claimed_at ON ops.push_ledger USING brin (claimed_at);

-- Grain: one message that a dry run would have written, or would not. Holds personal data: `changes` is what the CRM had and would
-- have got. Kept for as long as policy says (contact.dry_run_days); the next dry run deletes what is older.
CREATE TABLE ops.dry_run (
    dag_id     text NOT NULL,
    run_id     text NOT NULL,
    campaign   text NOT NULL,
    day        date NOT NULL,
    lane       text NOT NULL,
    person_id  text NOT NULL,
    slot       text NOT NULL,
    crm_id     text NOT NULL,
    message_id text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('written', 'suppressed', 'superseded', 'rejected')),  -- what it would have been
    reason     text NOT NULL,              -- in words
    changes    json NOT NULL,              -- {property: [value now, value that would be written]}; json keeps the order
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id, lane, person_id, slot)
);
CREATE INDEX dry_run_made_at ON ops.dry_run (made_at);

-- Time zones by the name that HubSpot gives them (america_slash_new_york, america_slash_port_hyphen_au_hyphen_prince) and by their own.
CREATE TABLE staging.time_zone (
    slug text PRIMARY KEY,                 -- lower case
    zone text NOT NULL                     -- as PostgreSQL knows it, e.g. America/New_York
);
INSERT INTO staging.time_zone (slug, zone)
SELECT replace(replace(lower(name), '/', '_slash_'), '-', '_hyphen_'), min(name)
FROM pg_timezone_names
WHERE name NOT LIKE 'posix%'
GROUP BY 1;
INSERT INTO staging.time_zone (slug, zone)
SELECT lower(min(name)), min(name) FROM pg_timezone_names WHERE name NOT LIKE 'posix%' GROUP BY lower(name)
ON CONFLICT DO NOTHING;

-- Countries whose zones all show the same time, by the tz database's zone.tab; others need a zone of their own (policy) or a default.
CREATE TABLE staging.country_zone (
    country text PRIMARY KEY,              -- ISO 3166
    zone    text NOT NULL
);
INSERT INTO staging.country_zone (country, zone)
SELECT split_part(entry, ' ', 1), split_part(entry, ' ', 2)
FROM unnest(string_to_array(replace($$
AD Europe/Andorra,AE Asia/Dubai,AF Asia/Kabul,AG America/Antigua,AI America/Anguilla,AL Europe/Tirane,AM Asia/Yerevan,
AO Africa/Luanda,AR America/Argentina/Buenos_Aires,AS Pacific/Pago_Pago,AT Europe/Vienna,AW America/Aruba,
AX Europe/Mariehamn,AZ Asia/Baku,BA Europe/Sarajevo,BB America/Barbados,BD Asia/Dhaka,BE Europe/Brussels,
BF Africa/Ouagadougou,BG Europe/Sofia,BH Asia/Bahrain,BI Africa/Bujumbura,BJ Africa/Porto-Novo,BL America/St_Barthelemy,
BM Atlantic/Bermuda,BN Asia/Brunei,BO America/La_Paz,BQ America/Kralendijk,BS America/Nassau,BT Asia/Thimphu,
BW Africa/Gaborone,BY Europe/Minsk,BZ America/Belize,CC Indian/Cocos,CF Africa/Bangui,CG Africa/Brazzaville,
CH Europe/Zurich,CI Africa/Abidjan,CK Pacific/Rarotonga,CM Africa/Douala,CO America/Bogota,CR America/Costa_Rica,
CU America/Havana,CV Atlantic/Cape_Verde,CW America/Curacao,CX Indian/Christmas,CY Asia/Nicosia,CZ Europe/Prague,
DE Europe/Berlin,DJ Africa/Djibouti,DK Europe/Copenhagen,DM America/Dominica,DO America/Santo_Domingo,DZ Africa/Algiers,
EE Europe/Tallinn,EG Africa/Cairo,EH Africa/El_Aaiun,ER Africa/Asmara,ET Africa/Addis_Ababa,FI Europe/Helsinki,
FJ Pacific/Fiji,FK Atlantic/Stanley,FO Atlantic/Faroe,FR Europe/Paris,GA Africa/Libreville,GB Europe/London,
GD America/Grenada,GE Asia/Tbilisi,GF America/Cayenne,GG Europe/Guernsey,GH Africa/Accra,GI Europe/Gibraltar,
GM Africa/Banjul,GN Africa/Conakry,GP America/Guadeloupe,GQ Africa/Malabo,GR Europe/Athens,GS Atlantic/South_Georgia,
GT America/Guatemala,GU Pacific/Guam,GW Africa/Bissau,GY America/Guyana,HK Asia/Hong_Kong,HN America/Tegucigalpa,
HR Europe/Zagreb,HT America/Port-au-Prince,HU Europe/Budapest,IE Europe/Dublin,IL Asia/Jerusalem,IM Europe/Isle_of_Man,
IN Asia/Kolkata,IO Indian/Chagos,IQ Asia/Baghdad,IR Asia/Tehran,IS Atlantic/Reykjavik,IT Europe/Rome,JE Europe/Jersey,
JM America/Jamaica,JO Asia/Amman,JP Asia/Tokyo,KE Africa/Nairobi,KG Asia/Bishkek,KH Asia/Phnom_Penh,KM Indian/Comoro,
KN America/St_Kitts,KP Asia/Pyongyang,KR Asia/Seoul,KW Asia/Kuwait,KY America/Cayman,LA Asia/Vientiane,LB Asia/Beirut,
LC America/St_Lucia,LI Europe/Vaduz,LK Asia/Colombo,LR Africa/Monrovia,LS Africa/Maseru,LT Europe/Vilnius,
LU Europe/Luxembourg,LV Europe/Riga,LY Africa/Tripoli,MA Africa/Casablanca,MC Europe/Monaco,MD Europe/Chisinau,
ME Europe/Podgorica,MF America/Marigot,MG Indian/Antananarivo,MH Pacific/Majuro,MK Europe/Skopje,ML Africa/Bamako,
MM Asia/Yangon,MO Asia/Macau,MP Pacific/Saipan,MQ America/Martinique,MR Africa/Nouakchott,MS America/Montserrat,
MT Europe/Malta,MU Indian/Mauritius,MV Indian/Maldives,MW Africa/Blantyre,MY Asia/Kuala_Lumpur,MZ Africa/Maputo,
NA Africa/Windhoek,NC Pacific/Noumea,NE Africa/Niamey,NF Pacific/Norfolk,NG Africa/Lagos,NI America/Managua,
NL Europe/Amsterdam,NO Europe/Oslo,NP Asia/Kathmandu,NR Pacific/Nauru,NU Pacific/Niue,OM Asia/Muscat,PA America/Panama,
PE America/Lima,PH Asia/Manila,PK Asia/Karachi,PL Europe/Warsaw,PM America/Miquelon,PN Pacific/Pitcairn,
PR America/Puerto_Rico,PS Asia/Gaza,PW Pacific/Palau,PY America/Asuncion,QA Asia/Qatar,RE Indian/Reunion,
RO Europe/Bucharest,RS Europe/Belgrade,RW Africa/Kigali,SA Asia/Riyadh,SB Pacific/Guadalcanal,SC Indian/Mahe,
SD Africa/Khartoum,SE Europe/Stockholm,SG Asia/Singapore,SH Atlantic/St_Helena,SI Europe/Ljubljana,SJ Arctic/Longyearbyen,
SK Europe/Bratislava,SL Africa/Freetown,SM Europe/San_Marino,SN Africa/Dakar,SO Africa/Mogadishu,SR America/Paramaribo,
SS Africa/Juba,ST Africa/Sao_Tome,SV America/El_Salvador,SX America/Lower_Princes,SY Asia/Damascus,SZ Africa/Mbabane,
TC America/Grand_Turk,TD Africa/Ndjamena,TF Indian/Kerguelen,TG Africa/Lome,TH Asia/Bangkok,TJ Asia/Dushanbe,
TK Pacific/Fakaofo,TL Asia/Dili,TM Asia/Ashgabat,TN Africa/Tunis,TO Pacific/Tongatapu,TR Europe/Istanbul,
TT America/Port_of_Spain,TV Pacific/Funafuti,TW Asia/Taipei,TZ Africa/Dar_es_Salaam,UG Africa/Kampala,UY America/Montevideo,
UZ Asia/Samarkand,VA Europe/Vatican,VC America/St_Vincent,VE America/Caracas,VG America/Tortola,VI America/St_Thomas,
VN Asia/Ho_Chi_Minh,VU Pacific/Efate,WF Pacific/Wallis,WS Pacific/Apia,YE Asia/Aden,YT Indian/Mayotte,
ZA Africa/Johannesburg,ZM Africa/Lusaka,ZW Africa/Harare$$, E'\n', ''), ',')) AS entry;

-- The next moment at which a person may be written to: `moment` itself, or the end of the quiet hours (which may span midnight) and
-- of a quiet weekend, by the clock on the person's wall. Equal times mean no quiet hours.
CREATE FUNCTION ops.next_allowed(moment timestamptz, zone text, quiet_from time, quiet_to time, is_weekend_quiet boolean)
RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    wall timestamp := moment AT TIME ZONE zone;
    allowed timestamp := wall;
BEGIN
    LOOP
        IF is_weekend_quiet AND extract(isodow FROM allowed) >= 6 THEN
            allowed := allowed::date + (8 - extract(isodow FROM allowed)::int);
        END IF;
        IF quiet_from > quiet_to AND allowed::time >= quiet_from THEN
            allowed := allowed::date + 1 + quiet_to;
        ELSIF quiet_from > quiet_to AND allowed::time < quiet_to
              OR quiet_from < quiet_to AND allowed::time >= quiet_from AND allowed::time < quiet_to THEN
            allowed := allowed::date + quiet_to;
        END IF;
        EXIT WHEN NOT is_weekend_quiet OR extract(isodow FROM allowed) < 6;
    END LOOP;
    RETURN CASE WHEN allowed = wall THEN moment ELSE greatest(moment, allowed AT TIME ZONE zone) END;
END$$;

-- A test send runs under a name of its own (lead_nurture~seed, nurture.contact_policy.seed_list) and follows the switches of its campaign.
CREATE OR REPLACE FUNCTION ops.may_personalize(of_campaign text) RETURNS boolean LANGUAGE sql STABLE STRICT
RETURN (SELECT coalesce(bool_and(is_on) AND bool_or(campaign = '*'), false)
        FROM ops.switch WHERE name = 'ai_personalization' AND campaign IN ('*', split_part(of_campaign, '~', 1)));
