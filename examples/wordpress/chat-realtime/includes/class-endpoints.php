<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/**
 * Tells pages who is signed in. Page caches skip admin-ajax.php, and it identifies the user by cookie; a REST route
 * would need a nonce in the page, and the page may be cached.
 */
final class Endpoints {
	const IDENTITY = 'chat_realtime_identity';
	const STAFF    = 'chat_realtime_staff';

	public static function hook(): void {
		foreach ( array( 'wp_ajax_', 'wp_ajax_nopriv_' ) as $who ) {
			add_action( $who . self::IDENTITY, array( self::class, 'identity' ) );
			add_action( $who . self::STAFF, array( self::class, 'staff' ) );
		}
		add_filter( 'allowed_redirect_hosts', array( self::class, 'allow_console' ) );
	}

	/** Path of an endpoint: pages ask their own host. */
	public static function path( string $action ): string {
		return admin_url( 'admin-ajax.php?action=' . $action, 'relative' );
	}

	/** A customer's identity token as plain text; empty when nobody is signed in. */
	public static function identity(): void {
		self::headers( 'text/plain' );
		if ( ! is_user_logged_in() ) {
			Widget::mark( false );
			exit;
		}
		// phpcs:ignore WordPress.Security.EscapeOutput -- three parts of base64url as plain text
		echo Tokens::identity( wp_get_current_user() );
		exit;
	}

	/** `{access_token, expires_at}` for users with an operator role; 401 for guests, 403 for everybody else. */
	public static function staff(): void {
		self::headers( 'application/json' );
		$origin = Options::origin_of( Options::address() );
		header( 'Vary: Origin', false );
		if ( '' !== $origin && get_http_origin() === $origin ) {
			header( "Access-Control-Allow-Origin: $origin" );
			header( 'Access-Control-Allow-Credentials: true' );
		}
		if ( ! is_user_logged_in() ) {
			self::refuse( 401, 'signed_out' );
		}
		$user  = wp_get_current_user();
		$right = Options::right_of( $user );
		if ( null === $right ) {
			self::refuse( 403, 'no_operator' );
		}
		$token = Tokens::staff( $user, $right );
		if ( '' === $token ) {
			self::refuse( 503, 'no_secret' );
		}
		echo wp_json_encode(
			array(
				'access_token' => $token,
				'expires_at'   => gmdate( 'Y-m-d\TH:i:s\Z', time() + Tokens::LIFE_SECONDS ),
			)
		);
		exit;
	}

	/**
	 * After the sign-in WordPress redirects only to its own hosts; the console may be on the chat's host.
	 *
	 * @param string[] $hosts
	 * @return string[]
	 */
	public static function allow_console( array $hosts ): array {
		$host = wp_parse_url( Options::address(), PHP_URL_HOST );
		return is_string( $host ) ? array_merge( $hosts, array( $host ) ) : $hosts;
	}

	private static function headers( string $type ): void {
		nocache_headers();
		header( 'Cache-Control: no-store, private' );
		header( "Content-Type: $type; charset=utf-8" );
		header( 'X-Content-Type-Options: nosniff' );
	}

	/** @return never */
	private static function refuse( int $status, string $code ): void {
		status_header( $status );
		echo wp_json_encode( array( 'error' => array( 'code' => $code ) ) );
		exit;
	}
}
