<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/**
 * Asks the chat whether it knows our secrets, and creates nothing: the tokens it sends expired an hour ago, and the
 * chat checks the signature first. `token_expired` means that everything else is right.
 */
final class Check {
	private const TIMEOUT_SECONDS = 5;
	private const SKEW_SECONDS    = 30;

	/** @return array<int, array{0: bool, 1: string}> What was found, in words: is it well, and what it is. */
	public static function all(): array {
		$config = self::ask( 'GET', '/chat/config' );
		if ( 200 !== $config['status'] ) {
			/* translators: %s: what went wrong */
			return array( array( false, sprintf( __( 'The chat does not answer at this address (%s).', 'chat-realtime' ), $config['fault'] ) ) );
		}
		$found = array( array( true, __( 'The chat answers.', 'chat-realtime' ) ) );
		if ( abs( $config['date'] - time() ) > self::SKEW_SECONDS ) {
			$found[] = array( false, __( 'The clocks of the two servers differ by more than 30 seconds. Tokens hold for minutes only: set the clocks.', 'chat-realtime' ) );
		}
		$found[] = self::origin();
		$found[] = self::identity();
		foreach ( self::staff() as $one ) {
			$found[] = $one;
		}
		return $found;
	}

	private static function origin(): array {
		$origin = Options::origin_of( home_url() );
		$answer = self::ask( 'POST', '/chat/identity', array( 'Origin' => $origin ), array( 'identity_token' => 'x' ) );
		if ( 403 === $answer['status'] ) {
			/* translators: %s: a line of settings */
			return array( false, sprintf( __( 'The chat refuses pages of this site. Its settings need %s.', 'chat-realtime' ), "ALLOWED_ORIGINS=$origin" ) );
		}
		return array( true, __( 'The chat takes pages of this site.', 'chat-realtime' ) );
	}

	private static function identity(): array {
		$token = Tokens::signed_identity( array( 'sub' => 'check' ), self::hour_ago() );
		if ( '' === $token ) {
			return array( true, __( 'Customers’ secret: none, everybody is a guest.', 'chat-realtime' ) );
		}
		$answer = self::ask( 'POST', '/chat/identity', array(), array( 'identity_token' => $token ) );
		return 'token_expired' === $answer['code']
			? array( true, __( 'Customers’ secret: right.', 'chat-realtime' ) )
			/* translators: %s: what the chat said */
			: array( false, sprintf( __( 'Customers’ secret: wrong. The chat does not know it in IDENTITY_SECRETS (%s).', 'chat-realtime' ), $answer['fault'] ) );
	}

	/** @return array<int, array{0: bool, 1: string}> */
	private static function staff(): array {
		$claims = array(
			'sub'  => 'check',
			'name' => 'check',
			'role' => 'operator',
		);
		$token  = Tokens::signed_staff( $claims, self::hour_ago() );
		if ( '' === $token ) {
			return array( array( true, __( 'Operators’ secret: none, operators sign in at the chat itself.', 'chat-realtime' ) ) );
		}
		$answer = self::ask( 'GET', '/chat/alerts', array( 'Authorization' => "Bearer $token" ) );
		if ( 'token_expired' !== $answer['code'] ) {
			/* translators: %s: what the chat said */
			return array( array( false, sprintf( __( 'Operators’ secret: wrong. It, the issuer and the audience must be AUTH_JWT_SECRET, AUTH_ISSUER and AUTH_AUDIENCE of the chat (%s).', 'chat-realtime' ), $answer['fault'] ) ) );
		}
		$found   = array( array( true, __( 'Operators’ secret: right.', 'chat-realtime' ) ) );
		$sign_in = self::ask( 'GET', '/operator/sign-in.json' );
		$token   = is_string( $sign_in['json']['token_url'] ?? null ) ? $sign_in['json']['token_url'] : '';
		$found[] = false !== strpos( $token, Endpoints::STAFF )
			? array( true, __( 'The console asks this site who is signed in.', 'chat-realtime' ) )
			: array( false, __( 'The console does not ask this site who is signed in: OPERATOR_TOKEN_URL is not the one below.', 'chat-realtime' ) );
		return $found;
	}

	private static function hour_ago(): int {
		return time() - HOUR_IN_SECONDS - Tokens::LIFE_SECONDS;
	}

	/** @return array{status: int, code: string, fault: string, json: mixed, date: int} `fault` says it in few words. */
	private static function ask( string $method, string $path, array $headers = array(), ?array $body = null ): array {
		$answer = wp_remote_request(
			Options::address() . $path,
			array(
				'method'              => $method,
				'timeout'             => self::TIMEOUT_SECONDS,
				'redirection'         => 0,
				'limit_response_size' => 65536,
				'headers'             => $headers + ( null === $body ? array() : array( 'Content-Type' => 'application/json' ) ),
				'body'                => null === $body ? null : wp_json_encode( $body ),
			)
		);
		if ( is_wp_error( $answer ) ) {
			return array(
				'status' => 0,
				'code'   => '',
				'fault'  => $answer->get_error_message(),
				'json'   => null,
				'date'   => time(),
			);
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$json   = json_decode( wp_remote_retrieve_body( $answer ), true );
		$code   = is_string( $json['error']['code'] ?? null ) ? $json['error']['code'] : '';
		$date   = strtotime( (string) wp_remote_retrieve_header( $answer, 'date' ) );
		return array(
			'status' => $status,
			'code'   => $code,
			'fault'  => trim( "HTTP $status $code" ),
			'json'   => $json,
			'date'   => false === $date ? time() : $date,
		);
	}
}
