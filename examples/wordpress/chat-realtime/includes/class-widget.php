<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** The widget on every page of the site. Nothing in the page depends on who sees it, so any cache may keep it. */
final class Widget {
	/** Tells scripts that somebody is signed in, and never who, so that they request an identity only then. */
	const MARK = 'chat_realtime_signed_in';

	public static function hook(): void {
		add_action( 'wp_enqueue_scripts', array( self::class, 'enqueue' ) );
		add_action( 'set_logged_in_cookie', array( self::class, 'signed_in' ), 10, 2 );
		add_action( 'clear_auth_cookie', array( self::class, 'signed_out' ) );
		// For users who were signed in before the plugin was installed. Admin pages are never cached.
		add_action( 'admin_init', array( self::class, 'remember' ) );
	}

	public static function enqueue(): void {
		$address = Options::address();
		if ( '' === $address ) {
			return;
		}
		$look     = array_filter(
			array(
				'accent'   => Options::get( 'accent' ),
				'position' => Options::get( 'position' ),
			)
		);
		$settings = array(
			'loader'     => $address . '/widget/v1/loader.js',
			'attributes' => (object) $look,
			'identity'   => '' === Options::secret( 'identity' ) ? '' : Endpoints::path( Endpoints::IDENTITY ),
			'mark'       => self::MARK,
		);
		wp_enqueue_script( 'chat-realtime', plugins_url( 'assets/site.js', FILE ), array(), VERSION, true );
		wp_add_inline_script( 'chat-realtime', 'window.chatRealtimeSite = ' . wp_json_encode( $settings, JSON_HEX_TAG ) . ';', 'before' );
	}

	/** @param int $expire When the sign-in's cookie ends; 0: with the browser. */
	public static function signed_in( string $cookie, int $expire ): void {
		self::mark( true, $expire );
	}

	public static function signed_out(): void {
		self::mark( false );
	}

	public static function remember(): void {
		if ( is_user_logged_in() && ! isset( $_COOKIE[ self::MARK ] ) ) {
			self::mark( true );
		}
	}

	public static function mark( bool $is_signed_in, int $expire = 0 ): void {
		if ( headers_sent() || ( ! $is_signed_in && ! isset( $_COOKIE[ self::MARK ] ) ) ) {
			return;
		}
		setcookie(
			self::MARK,
			$is_signed_in ? '1' : '',
			array(
				'expires'  => $is_signed_in ? $expire : 1,
				'path'     => COOKIEPATH ? COOKIEPATH : '/',
				'domain'   => COOKIE_DOMAIN ? COOKIE_DOMAIN : '',
				'secure'   => is_ssl(),
				'httponly' => false,
				'samesite' => 'Lax',
			)
		);
	}
}
