-- Runs in DuckDB, inside the load: where one GA4 day is gathered before it is numbered.
-- Grain: one exported event. Reads nothing, writes delivered (of this load only). No parameters.
CREATE TABLE delivered (
    event_us        BIGINT,
    event_name      VARCHAR,
    user_id         VARCHAR,
    user_pseudo_id  VARCHAR,
    stream_id       VARCHAR,
    event_params    VARCHAR,
    user_properties VARCHAR,
    items           VARCHAR,
    ecommerce       VARCHAR,
    geo             VARCHAR,
    device          VARCHAR,
    traffic_source  VARCHAR,
    rest            VARCHAR,
    digest          UHUGEINT,
    fault           STRUCT(field VARCHAR, reason VARCHAR)
);
