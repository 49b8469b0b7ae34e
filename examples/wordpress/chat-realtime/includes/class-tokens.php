<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** The two tokens that tell the chat who is signed in here: JWTs with HMAC-SHA256. */
final class Tokens {
	const LIFE_SECONDS = 600;

	/** Who the customer is, for the widget. Empty without a secret. */
	public static function identity( \WP_User $user ): string {
		$claims = array(
			'name'  => $user->display_name,
			'email' => $user->user_email,
		);
		/**
		 * Name, email and phone that operators see, and `sessions`: chats from before.
		 *
		 * @param array    $claims name?, email?, phone?, sessions?
		 * @param \WP_User $user   Who is signed in.
		 */
		$claims = (array) apply_filters( 'chat_realtime_identity_claims', $claims, $user );
		$claims = array_intersect_key( array_filter( $claims ), array_flip( array( 'name', 'email', 'phone', 'sessions' ) ) );
		return self::signed_identity( array( 'sub' => (string) $user->ID ) + $claims, time() );
	}

	/** Who the operator is, for console and badge. Empty without a secret. */
	public static function staff( \WP_User $user, string $right ): string {
		$claims = array(
			'sub'  => (string) $user->ID,
			'name' => $user->display_name,
			'role' => $right,
		);
		return self::signed_staff( $claims, time() );
	}

	/** @param int $now Unix seconds at which it begins to hold. */
	public static function signed_identity( array $claims, int $now ): string {
		$key = explode( ':', Options::secret( 'identity' ), 2 );
		if ( 2 !== count( $key ) ) {
			return '';
		}
		return self::sign( array( 'kid' => $key[0] ), array( 'aud' => 'chat' ) + $claims, $now, $key[1] );
	}

	/** @param int $now Unix seconds at which it begins to hold. */
	public static function signed_staff( array $claims, int $now ): string {
		$named  = array(
			'iss' => Options::get( 'issuer' ),
			'aud' => Options::get( 'audience' ),
		);
		$secret = Options::secret( 'staff' );
		return '' === $secret ? '' : self::sign( array(), $named + $claims, $now, $secret );
	}

	private static function sign( array $head, array $claims, int $now, string $secret ): string {
		$head  += array(
			'alg' => 'HS256',
			'typ' => 'JWT',
		);
		$claims = $claims + array(
			'iat' => $now,
			'exp' => $now + self::LIFE_SECONDS,
		);
		$text   = self::part( wp_json_encode( $head ) ) . '.' . self::part( wp_json_encode( $claims ) );
		return $text . '.' . self::part( hash_hmac( 'sha256', $text, $secret, true ) );
	}

	private static function part( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
	}
}
