// A chat room on an MQTT broker, with MQTT.js as it comes from npm: its file dist/mqtt.esm.js, copied to lib/. The library's types stay in
// here, so that .ets files see those of this file only.

import './globals';
import mqtt, { MqttClient } from './lib/mqtt.esm.js';

const TOPIC = 'net-websocket/room';
const RECONNECT_MS = 2000;

export class Room {
  private readonly client: MqttClient;

  /** Enters the room of the broker at `url`. `heard` is called with what anybody says, `told` with the state of the connection. */
  constructor(url: string, heard: (text: string) => void, told: (state: string) => void) {
    // Without this option MQTT.js looks for a browser, and then for Node.
    this.client = mqtt.connect(url, { forceNativeWebSocket: true, reconnectPeriod: RECONNECT_MS });
    this.client.on('connect', () => {
      this.client.subscribe(TOPIC, { qos: 1 }, () => told('connected'));
    });
    this.client.on('message', (_topic, payload) => heard(payload.toString()));
    this.client.on('error', (error) => told(error.message));
    this.client.on('close', () => told('not connected'));
  }

  say(text: string): void {
    this.client.publish(TOPIC, text, { qos: 1 });
  }

  leave(): void {
    this.client.end();
  }
}
