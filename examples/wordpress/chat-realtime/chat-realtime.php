<?php
/**
 * Plugin Name: Chat Realtime
 * Description: The widget of your own Chat Realtime server on every page, signed-in users by name, operators by role, and the number of waiting chats in the admin bar.
 * Version: 0.1.0
 * Requires at least: 5.7
 * Requires PHP: 7.4
 * License: Apache-2.0 (compatible with GPLv3)
 * License URI: https://www.apache.org/licenses/LICENSE-2.0
 * Text Domain: chat-realtime
 * Domain Path: /languages
 */

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

const VERSION = '0.1.0';
const FILE    = __FILE__;

foreach ( array( 'options', 'tokens', 'endpoints', 'widget', 'admin-bar' ) as $part ) {
	require __DIR__ . "/includes/class-$part.php";
}

register_activation_hook( __FILE__, array( Options::class, 'prepare' ) );
add_action(
	'init',
	static function () {
		load_plugin_textdomain( 'chat-realtime', false, dirname( plugin_basename( FILE ) ) . '/languages' );
	}
);
Endpoints::hook();
Widget::hook();
Admin_Bar::hook();

if ( is_admin() ) {
	foreach ( array( 'check', 'server-lines', 'settings-page' ) as $part ) {
		require __DIR__ . "/includes/class-$part.php";
	}
	Settings_Page::hook();
}
