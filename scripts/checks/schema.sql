-- Prints services/libs/store/src/schema.rs: the tables that Rust code uses by the query builder of
-- diesel. The other tables are used in SQL alone. rustfmt formats the macro at the end. It does not
-- format macros with braces.
WITH chosen AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
        AND relname IN ('api_clients', 'event_ids', 'source_gaps', 'sources')
),
-- The columns of each table. diesel names a type as PostgreSQL does, with a capital letter.
columns AS (
    SELECT
        attrelid AS oid,
        string_agg(
            format(
                CASE
                    WHEN attnotnull THEN '        %s -> %s,'
                    ELSE '        %s -> Nullable<%s>,'
                END,
                attname, initcap(typname)
            ),
            E'\n' ORDER BY attnum
        ) AS list
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
),
-- The columns of each primary key, in the order of the key.
primary_keys AS (
    SELECT conrelid AS oid, string_agg(attname, ', ' ORDER BY position) AS list
    FROM pg_constraint
    CROSS JOIN unnest(conkey) WITH ORDINALITY AS key (attnum, position)
    JOIN pg_attribute ON attrelid = conrelid AND pg_attribute.attnum = key.attnum
    WHERE contype = 'p'
    GROUP BY conrelid
),
lines AS (
    SELECT
        1 AS part, relname,
        format(
            E'diesel::table! {\n    %s (%s) {\n%s\n    }\n}\n',
            relname, primary_keys.list, columns.list
        ) AS line
    FROM chosen JOIN columns USING (oid) JOIN primary_keys USING (oid)
    UNION ALL
    SELECT 2, child.relname,
        format(E'diesel::joinable!(%s -> %s (%s));\n', child.relname, parent.relname, attname)
    FROM pg_constraint
    JOIN chosen AS child ON child.oid = conrelid
    JOIN chosen AS parent ON parent.oid = confrelid
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND cardinality(conkey) = 1
    UNION ALL
    SELECT 3, NULL,
        format(
            'diesel::allow_tables_to_appear_in_same_query!(%s);',
            string_agg(relname || ',', ' ' ORDER BY relname)
        )
    FROM chosen
)
SELECT line FROM lines ORDER BY part, relname;
