<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** «Chats» in the admin bar of operators: the number of waiting chats, and a link to the console. */
final class Admin_Bar {
	const HANDLE = 'chat-realtime-badge';

	public static function hook(): void {
		add_action( 'admin_bar_menu', array( self::class, 'add' ), 80 );
		add_action( 'admin_enqueue_scripts', array( self::class, 'enqueue' ) );
		add_action( 'wp_enqueue_scripts', array( self::class, 'enqueue' ) );
		add_filter( 'script_loader_tag', array( self::class, 'tag' ), 10, 2 );
	}

	public static function console(): string {
		return Options::address() . '/operator/';
	}

	public static function add( \WP_Admin_Bar $bar ): void {
		if ( ! self::is_shown() ) {
			return;
		}
		$title = '<span class="ab-icon dashicons-format-chat" aria-hidden="true"></span>'
			. '<span class="chat-realtime-label">' . esc_html__( 'Chats', 'chat-realtime' ) . '</span> '
			. '<span class="chat-realtime-count" data-count="0">0</span>'
			. '<span class="screen-reader-text"> ' . esc_html__( 'unread', 'chat-realtime' ) . '</span>';
		$bar->add_node(
			array(
				'id'    => 'chat-realtime',
				'title' => $title,
				'href'  => esc_url( self::console() ),
				'meta'  => array(
					'target' => '_blank',
					'rel'    => 'noopener',
				),
			)
		);
	}

	public static function enqueue(): void {
		if ( ! is_admin_bar_showing() || ! self::is_shown() ) {
			return;
		}
		wp_enqueue_style( 'chat-realtime', plugins_url( 'assets/admin-bar.css', FILE ), array( 'admin-bar' ), VERSION );
		wp_enqueue_script( self::HANDLE, Options::address() . '/widget/v1/badge.js', array(), null, true ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters -- the address is one that stays, the chat's server names its age
	}

	/** The badge reads its settings from its own tag. */
	public static function tag( string $tag, string $handle ): string {
		if ( self::HANDLE !== $handle ) {
			return $tag;
		}
		$more = sprintf(
			' async data-token-url="%s" data-unread="#wp-admin-bar-chat-realtime .chat-realtime-count" data-namespace="wordpress-%d" ',
			esc_attr( Endpoints::path( Endpoints::STAFF ) ),
			get_current_user_id()
		);
		return str_replace( ' src=', $more . 'src=', $tag );
	}

	private static function is_shown(): bool {
		return '' !== Options::address() && '' !== Options::secret( 'staff' ) && is_user_logged_in()
			&& null !== Options::right_of( wp_get_current_user() );
	}
}
