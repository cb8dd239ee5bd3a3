-- Runs in DuckDB, inside the load: the bytes of the longest string value in a list of {key, value} (JSON text).
-- Grain: one list. Writes nothing, makes a macro. No parameters.
CREATE MACRO longest(params) AS
    list_max(list_transform(json_extract_string(params, '$[*].value.string_value'), lambda v: strlen(v)));
