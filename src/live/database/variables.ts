/**
 * The system variables that drivers and tools ask for, and the settings of the topology under
 * their names in MySQL.
 */
import type { DatabaseHop } from '../../model/topology.ts';
import { SERVER_VERSION } from './handshake.ts';
import { PACKET_BYTES_MAX } from './packet-reader.ts';
import type { Value } from './wire.ts';

const FIXED: Readonly<Record<string, Value>> = {
  auto_increment_increment: 1,
  autocommit: 1,
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  character_set_server: 'utf8mb4',
  collation_connection: 'utf8mb4_general_ci',
  collation_server: 'utf8mb4_general_ci',
  init_connect: '',
  interactive_timeout: 28_800,
  license: 'MIT',
  lower_case_table_names: 0,
  max_allowed_packet: PACKET_BYTES_MAX,
  net_write_timeout: 60,
  performance_schema: 0,
  sql_mode: 'STRICT_TRANS_TABLES',
  system_time_zone: 'UTC',
  time_zone: 'SYSTEM',
  transaction_isolation: 'REPEATABLE-READ',
  tx_isolation: 'REPEATABLE-READ',
  version: SERVER_VERSION,
  version_comment: 'waterhammer embedded database',
  wait_timeout: 28_800,
};

export function variablesOf(settings: DatabaseHop): Readonly<Record<string, Value>> {
  return {
    ...FIXED,
    max_connections: settings.connectionsMax,
    max_prepared_stmt_count: settings.preparedStatementsMax,
  };
}
