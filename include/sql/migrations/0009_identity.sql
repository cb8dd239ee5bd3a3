-- Who is who: what was decided, by whom and why; what a person separated; what changed since people were resolved last.

-- Grain: one decision about who is who, the night's or a person's; never changed, never deleted. Ids only, no personal data
-- (a note is what its author wrote).
CREATE TABLE ops.identity_event (
    identity_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('merged', 'unmerged', 'linked', 'unlinked')),
    person_id       text NOT NULL,         -- merged: who was swallowed; unmerged: who was separated; (un)linked: whom the contact leads to
    other_person_id text,                  -- merged: the direct survivor; unmerged: from whom
    crm_id          text,                  -- linked, unlinked: the contact
    reason          text NOT NULL,         -- the evidence in words
    decided_by      text NOT NULL,         -- resolve_identity, or who triggered the DAG
    note            text,                  -- why, in that person's words
    happened_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX identity_event_person ON ops.identity_event (person_id, happened_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ops.identity_event
    FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
INSERT INTO ops.identity_event (kind, person_id, other_person_id, reason, decided_by, happened_at)
SELECT 'merged', person_id, merged_into, 'merged before such events were kept: when and through whom is not known', 'resolve_identity',
       '1970-01-01Z'
FROM marts.person WHERE merged_into IS NOT NULL;

-- The person to whom a contact led first: what a separation goes back to. NULL for other kinds of identifiers.
ALTER TABLE marts.person_identity ADD COLUMN first_person_id text;
UPDATE marts.person_identity AS identity
SET first_person_id = coalesce((SELECT first.person_id FROM marts.person AS first
                                WHERE first.person_id = 'p_' || md5('crm:' || identity.value)), identity.person_id)
WHERE kind = 'crm_id';

-- Grain: one pair of contacts that a person told apart. What the CRM says of their merge counts no more.
CREATE TABLE marts.contact_split (
    crm_id       text NOT NULL,            -- a contact of the person who was separated
    from_crm_id  text NOT NULL,            -- a contact of those who stayed
    split_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (crm_id, from_crm_id)
);

-- Grain: one pair of persons who were taken for one until split_at, told apart by a person.
CREATE TABLE marts.person_split (
    person_id      text NOT NULL REFERENCES marts.person ON DELETE CASCADE,
    from_person_id text NOT NULL REFERENCES marts.person ON DELETE CASCADE,
    split_at       timestamptz NOT NULL,
    PRIMARY KEY (person_id, from_person_id)
);
CREATE INDEX person_split_from ON marts.person_split (from_person_id);

-- Whose messages count as a person's own, and of which time: those of everyone merged into the person for ever; those of anyone who
-- was taken for the same person up to the moment when a person told them apart. Nobody gets a message twice because of a mistake.
CREATE VIEW marts.person_kin AS
SELECT person_id, member_id AS kin_id, 'infinity'::timestamptz AS counts_until FROM marts.person_member
UNION ALL
SELECT member.person_id, split.from_person_id, split.split_at
FROM marts.person_member AS member
JOIN marts.person_split AS split ON split.person_id = member.member_id
UNION ALL
SELECT member.person_id, split.person_id, split.split_at
FROM marts.person_member AS member
JOIN marts.person_split AS split ON split.from_person_id = member.member_id;

-- Which contacts share an identifier is looked up for those that changed, not derived from all contacts.
CREATE INDEX person_email ON marts.person (email) WHERE email IS NOT NULL;
CREATE INDEX person_site_user_id ON marts.person (site_user_id) WHERE site_user_id IS NOT NULL;

-- The Unicode form of one label of a domain in its ASCII form (RFC 3492), without its xn--; what is no such label stays.
CREATE FUNCTION staging.unicode_label(label text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    hyphen integer := length(label) - position('-' IN reverse(label)) + 1;
    output text := CASE WHEN position('-' IN label) > 0 THEN left(label, hyphen - 1) ELSE '' END;
    rest text := CASE WHEN position('-' IN label) > 0 THEN substr(label, hyphen + 1) ELSE label END;
    code bigint := 128; place bigint := 0; bias integer := 72;
    weight bigint; before bigint; base integer; digit integer; threshold integer; delta bigint; size integer;
BEGIN
    WHILE rest <> '' LOOP
        before := place; weight := 1; base := 36;
        LOOP
            digit := position(left(rest, 1) IN 'abcdefghijklmnopqrstuvwxyz0123456789') - 1;
            IF rest = '' OR digit < 0 OR weight > 1e12 THEN RETURN 'xn--' || label; END IF;
            rest := substr(rest, 2);
            place := place + digit * weight;
            threshold := CASE WHEN base <= bias THEN 1 WHEN base >= bias + 26 THEN 26 ELSE base - bias END;
            EXIT WHEN digit < threshold;
            weight := weight * (36 - threshold); base := base + 36;
        END LOOP;
        size := length(output) + 1;
        delta := CASE WHEN before = 0 THEN (place - before) / 700 ELSE (place - before) / 2 END;
        delta := delta + delta / size; bias := 0;
        WHILE delta > 455 LOOP delta := delta / 35; bias := bias + 36; END LOOP;
        bias := bias + 36 * delta / (delta + 38);
        code := code + place / size; place := place % size;
        IF code > 1114111 OR code BETWEEN 55296 AND 57343 THEN RETURN 'xn--' || label; END IF;
        output := left(output, place::integer) || chr(code::integer) || substr(output, place::integer + 1);
        place := place + 1;
    END LOOP;
    RETURN CASE WHEN octet_length(output) > length(output) THEN output ELSE 'xn--' || label END;
END$$;

-- The domain of an address with its labels in Unicode.
CREATE FUNCTION staging.unicode_domain(domain text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT string_agg(CASE WHEN label ^@ 'xn--' THEN staging.unicode_label(substr(label, 5)) ELSE label END, '.' ORDER BY place)
        FROM string_to_table(domain, '.') WITH ORDINALITY AS part (label, place));

-- What two spellings of one address have in common, see docs/decisions/0019. For comparing only: nothing is ever sent to it.
CREATE FUNCTION staging.address_key(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN position('xn--' IN lower(address)) > 0
        THEN lower(normalize(
            regexp_replace(lower(btrim(address)), '[^@]*$', '') || staging.unicode_domain(substring(lower(btrim(address)) FROM '[^@]*$')),
            NFKC))
    ELSE lower(normalize(btrim(address), NFKC))
END;

-- What a swallowed contact carried leads to its survivor; few contacts take part in merges.
CREATE INDEX contacts_swallowed_email ON raw_hubspot.contacts (staging.address_key(email)) WHERE merged_into IS NOT NULL;
CREATE INDEX contacts_merging ON raw_hubspot.contacts (crm_id) WHERE merged_ids <> '{}';
CREATE INDEX contacts_swallowed_user ON raw_hubspot.contacts (btrim(site_user_id)) WHERE merged_into IS NOT NULL;

-- Grain: one change of one contact since people were resolved last, whoever made it and however: written by triggers, taken by
-- resolve_identity. A contact may stand here more than once; no key, so that a load never waits for a night that is at work.
CREATE TABLE marts.contact_change (crm_id text NOT NULL);
INSERT INTO marts.contact_change (crm_id) SELECT crm_id FROM raw_hubspot.contacts;

CREATE FUNCTION marts.note_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marts.contact_change (crm_id) SELECT crm_id FROM changed;
    RETURN NULL;
END$$;
CREATE TRIGGER note_new AFTER INSERT ON staging.contacts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION marts.note_contacts();
CREATE TRIGGER note_changed AFTER UPDATE ON staging.contacts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION marts.note_contacts();
CREATE TRIGGER note_gone AFTER DELETE ON staging.contacts REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION marts.note_contacts();

-- Of raw contacts only those that take part in a merge; the others are noted by staging.
CREATE FUNCTION marts.note_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marts.contact_change (crm_id) VALUES (coalesce(NEW.crm_id, OLD.crm_id));
    RETURN NULL;
END$$;
CREATE TRIGGER note_new_merge AFTER INSERT ON raw_hubspot.contacts FOR EACH ROW
    WHEN (NEW.merged_into IS NOT NULL OR NEW.merged_ids <> '{}') EXECUTE FUNCTION marts.note_merge();
CREATE TRIGGER note_changed_merge AFTER UPDATE ON raw_hubspot.contacts FOR EACH ROW
    WHEN (NEW.merged_into IS NOT NULL OR NEW.merged_ids <> '{}' OR OLD.merged_ids <> '{}') EXECUTE FUNCTION marts.note_merge();
CREATE TRIGGER note_gone_merge AFTER DELETE ON raw_hubspot.contacts FOR EACH ROW
    WHEN (OLD.merged_into IS NOT NULL OR OLD.merged_ids <> '{}') EXECUTE FUNCTION marts.note_merge();

-- Grain: one export day whose devices were linked, with the load that was linked: a day is looked at again when it was loaded again.
CREATE TABLE marts.linked_day (
    day       date PRIMARY KEY,
    loaded_at timestamptz NOT NULL         -- ops.load_log
);
