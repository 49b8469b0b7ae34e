<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** The stored settings. Secrets are stored separately, so that they are not loaded with every page. */
final class Options {
	const PLAIN   = 'chat_realtime';
	const SECRETS = 'chat_realtime_secrets';
	const RIGHTS  = array( 'operator', 'admin' );

	private const DEFAULTS = array(
		'address'  => '',
		'issuer'   => 'wordpress',
		'audience' => 'chat',
		'accent'   => '',
		'position' => 'right',
		'roles'    => array( 'administrator' => 'admin' ),
	);
	/** A secret in wp-config.php takes precedence over the one in the database, and cannot be changed in the browser. */
	private const CONSTANTS = array(
		'identity' => 'CHAT_REALTIME_IDENTITY_SECRET',
		'staff'    => 'CHAT_REALTIME_STAFF_SECRET',
	);

	/** On activation, creates the secrets as an option that WordPress does not load automatically. */
	public static function prepare(): void {
		add_option( self::SECRETS, array(), '', 'no' );
	}

	/** @return mixed One of the plain settings. */
	public static function get( string $name ) {
		$kept = get_option( self::PLAIN );
		return ( is_array( $kept ) ? $kept : array() )[ $name ] ?? self::DEFAULTS[ $name ];
	}

	/** 'identity': "k1:<secret>" as in IDENTITY_SECRETS. 'staff': AUTH_JWT_SECRET. Empty when it is not set. */
	public static function secret( string $name ): string {
		if ( self::is_constant( $name ) ) {
			return (string) constant( self::CONSTANTS[ $name ] );
		}
		$kept = get_option( self::SECRETS );
		return is_array( $kept ) ? (string) ( $kept[ $name ] ?? '' ) : '';
	}

	public static function is_constant( string $name ): bool {
		return defined( self::CONSTANTS[ $name ] );
	}

	public static function constant_name( string $name ): string {
		return self::CONSTANTS[ $name ];
	}

	/** Address of the chat without a slash at its end; empty when it is not set. */
	public static function address(): string {
		return self::get( 'address' );
	}

	/** Scheme, host and port of an address, as browsers write an Origin. */
	public static function origin_of( string $address ): string {
		$parts = wp_parse_url( $address );
		if ( ! isset( $parts['scheme'], $parts['host'] ) ) {
			return '';
		}
		$scheme = strtolower( $parts['scheme'] );
		$port   = $parts['port'] ?? null;
		$usual  = 'https' === $scheme ? 443 : 80;
		return $scheme . '://' . strtolower( $parts['host'] ) . ( null === $port || $usual === $port ? '' : ":$port" );
	}

	/** What a user may do in the chat by their roles: 'admin', 'operator' or nothing. */
	public static function right_of( \WP_User $user ): ?string {
		$roles = self::get( 'roles' );
		$found = array_intersect_key( $roles, array_flip( $user->roles ) );
		if ( in_array( 'admin', $found, true ) ) {
			return 'admin';
		}
		return in_array( 'operator', $found, true ) ? 'operator' : null;
	}

	/**
	 * @param mixed $given What the form sent.
	 * @return array What is kept of it; a field that cannot be is told, and stays as it was.
	 */
	public static function clean( $given ): array {
		$given   = is_array( $given ) ? $given : array();
		$text    = static function ( string $name ) use ( $given ): string {
			return isset( $given[ $name ] ) && is_string( $given[ $name ] ) ? trim( sanitize_text_field( $given[ $name ] ) ) : '';
		};
		$address = rtrim( $text( 'address' ), '/' );
		if ( '' !== $address && ! self::is_address( $address ) ) {
			self::refuse( 'address', __( 'The address of the chat must look like https://chat.example.com.', 'chat-realtime' ) );
			$address = self::get( 'address' );
		}
		$accent = $text( 'accent' );
		if ( '' !== $accent && ! preg_match( '/^#[0-9a-f]{6}$/i', $accent ) ) {
			self::refuse( 'accent', __( 'The colour must look like #2f5d50.', 'chat-realtime' ) );
			$accent = self::get( 'accent' );
		}
		$roles = array();
		foreach ( is_array( $given['roles'] ?? null ) ? $given['roles'] : array() as $role => $right ) {
			if ( in_array( $right, self::RIGHTS, true ) && null !== get_role( (string) $role ) ) {
				$roles[ (string) $role ] = $right;
			}
		}
		return array(
			'address'  => $address,
			'issuer'   => '' === $text( 'issuer' ) ? self::DEFAULTS['issuer'] : $text( 'issuer' ),
			'audience' => '' === $text( 'audience' ) ? self::DEFAULTS['audience'] : $text( 'audience' ),
			'accent'   => $accent,
			'position' => 'left' === $text( 'position' ) ? 'left' : 'right',
			'roles'    => $roles,
		);
	}

	/**
	 * @param mixed $given `identity`, `staff`: new secrets, an empty one keeps what is there; `remove`: names to forget.
	 * @return array The secrets as they are kept.
	 */
	public static function clean_secrets( $given ): array {
		$given = is_array( $given ) ? $given : array();
		$kept  = get_option( self::SECRETS );
		$kept  = is_array( $kept ) ? $kept : array();
		$rules = array(
			'identity' => array( '/^[A-Za-z0-9_-]{1,16}:.{32,}$/', __( 'The customers’ secret must look like k1:… with at least 32 characters after the colon.', 'chat-realtime' ) ),
			'staff'    => array( '/^.{32,}$/', __( 'The operators’ secret must have at least 32 characters.', 'chat-realtime' ) ),
		);
		foreach ( $rules as $name => list( $form, $fault ) ) {
			$new = isset( $given[ $name ] ) && is_string( $given[ $name ] ) ? trim( $given[ $name ] ) : '';
			if ( '' !== $new && preg_match( $form, $new ) ) {
				$kept[ $name ] = $new;
			} elseif ( '' !== $new ) {
				self::refuse( $name, $fault );
			} elseif ( is_array( $given['remove'] ?? null ) && in_array( $name, $given['remove'], true ) ) {
				unset( $kept[ $name ] );
			}
		}
		return array_intersect_key( $kept, $rules );
	}

	private static function is_address( string $address ): bool {
		$parts = wp_parse_url( $address );
		return isset( $parts['scheme'], $parts['host'] )
			&& in_array( strtolower( $parts['scheme'] ), array( 'https', 'http' ), true )
			&& ! isset( $parts['user'] ) && ! isset( $parts['query'] ) && ! isset( $parts['fragment'] );
	}

	private static function refuse( string $field, string $fault ): void {
		// Also called when the options are set without the page, for example by WP-CLI.
		if ( function_exists( 'add_settings_error' ) ) {
			add_settings_error( self::PLAIN, "chat_realtime_$field", $fault );
		}
	}
}
