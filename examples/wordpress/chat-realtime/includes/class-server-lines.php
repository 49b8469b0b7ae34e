<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** The settings for the chat's server, to be copied. Secrets are named, never printed. */
final class Server_Lines {
	public static function text(): string {
		$lines = array(
			'ALLOWED_ORIGINS=' . Options::origin_of( home_url() ),
			/* translators: stands for a secret that is not printed */
			'IDENTITY_SECRETS=' . __( '<the customers’ secret, k1:…>', 'chat-realtime' ),
			/* translators: stands for a secret that is not printed */
			'AUTH_JWT_SECRET=' . __( '<the operators’ secret>', 'chat-realtime' ),
			'AUTH_ISSUER=' . Options::get( 'issuer' ),
			'AUTH_AUDIENCE=' . Options::get( 'audience' ),
			'OPERATOR_TOKEN_URL=' . admin_url( 'admin-ajax.php?action=' . Endpoints::STAFF ),
			'OPERATOR_LOGIN_URL=' . wp_login_url(),
			'OPERATOR_RETURN_PARAM=redirect_to',
		);
		return implode( "\n", $lines );
	}
}
