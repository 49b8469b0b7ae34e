-- The operators' list of open sessions, longest wait first, a page at a time: without an index of exactly this order every
-- page sorts all open sessions. Those in which nobody waits come last.
CREATE INDEX chat_session_open_waiting ON chat_session (COALESCE(waiting_since, 'infinity'::timestamptz), id) WHERE status <> 'closed';
