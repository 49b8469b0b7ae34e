-- Scope `own`: an operator who sees nobody's chats but their own.
ALTER TABLE auth_operator DROP CONSTRAINT auth_operator_scope_check;
ALTER TABLE auth_operator ADD CONSTRAINT auth_operator_scope_check CHECK (scope IN ('all', 'assigned', 'own'));
