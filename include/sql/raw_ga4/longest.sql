-- Runs in DuckDB, inside the load: the bytes of the longest string value in a list of {key, value} (JSON text).
CREATE MACRO longest(params) AS
    list_max(list_transform(json_extract_string(params, '$[*].value.string_value'), lambda v: strlen(v)));
