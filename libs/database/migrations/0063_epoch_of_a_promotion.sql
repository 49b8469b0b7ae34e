-- A server that was promoted goes on in another timeline at once, but writes it into its control file with its next
-- checkpoint, minutes later: until then it would give numbers again under the epoch of before. The timeline in which it
-- writes now is the same number, so no epoch changes by this.
-- lives-with: 0053_mail_tokens
CREATE OR REPLACE FUNCTION chat_epoch() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT left(encode(sha256(convert_to(concat_ws('/', m.value, m.xmin, s.system_identifier, d.oid,
      CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer END), 'UTF8')), 'hex'), 32)
    FROM chat_meta m, pg_control_system() s, pg_database d
   WHERE m.name = 'epoch' AND d.datname = current_database()
$$;
