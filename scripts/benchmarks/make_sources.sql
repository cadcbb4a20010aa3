-- Registers :sources sources with a network each. The key of source N is `source-key-N`.
INSERT INTO sources (name, key_hash)
SELECT 'source-' || number, sha256(convert_to('source-key-' || number, 'UTF8'))
FROM generate_series(1, :sources) AS number;

INSERT INTO source_networks (network, source_id)
SELECT (inet '10.0.0.0' + id)::cidr, id FROM sources WHERE name LIKE 'source-%';

ANALYZE sources, source_networks;
