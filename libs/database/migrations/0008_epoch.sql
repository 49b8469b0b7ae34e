-- The epoch follows from the data: the name that new-epoch changes, and the transaction that wrote the row it stands in.
-- Whatever brings the row back (pg_restore into this database, into another, into another cluster) writes it anew. A
-- server that was promoted or brought back to a moment goes on in another timeline. Nothing of it is kept in a process.
CREATE FUNCTION chat_epoch() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT left(encode(sha256(convert_to(concat_ws('/', m.value, m.xmin, s.system_identifier, d.oid, c.timeline_id), 'UTF8')), 'hex'), 32)
    FROM chat_meta m, pg_control_system() s, pg_control_checkpoint() c, pg_database d
   WHERE m.name = 'epoch' AND d.datname = current_database()
$$;

DELETE FROM chat_meta WHERE name = 'fingerprint';
