// A game in real time: frames come by a socket of its own, as PNG after a few numbers, and are drawn on a canvas; what is
// pressed goes back as bits. See arena/play/arcade/messages.py. The server shows no more than this tells it to have drawn.
const KEYS = 1, SEEN = 2, ORDER = 3, PAUSE = 1, RESTART = 2, SPEED = 3, LOOKS = 4, SOUND = 5, STEP = 6, AGAIN = 7;
const HEAD = 20, FRAME = 1, HEARD = 3, SOUND_HEAD = 8;
const CHUNK = 512, PACE = 60, RATE = CHUNK * PACE;  // samples of a frame; frames, and samples, a second
const AHEAD = 0.08, FAR = 0.3;  // seconds that a sound waits at first, and at most
const NOT_HERE = 4404, ELSEWHERE = 4409, NONSENSE = 4400;
const NAMES = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Space: "Space", Enter: "Enter",
};
const WAYS = ["up", "forward", "down", "left", "right"];
const HEEDED = "Weight of evidence by occlusion: with this part the odds of the action that it is about to choose are so many times what they are without it. Each cell of what it sees is covered, each word left out, each stretch of sound made silent, and its network is asked again.";
const INFERNO = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

export default {
  template: `
    <div class="arcade">
      <div class="arcade-stage">
        <div class="arcade-bar">
          <h1 class="setup-title">{{ about.title }} <span v-if="about.players.length === 1 && !about.seats.length"
              class="faint">played by {{ about.players[0] }}</span></h1>
          <span v-for="(name, i) in about.players.slice(0, 2)" :key="i" class="arcade-figure"
                :class="'player-' + (i + 1)">{{ about.players.length > 1 ? name : 'Score' }} <b>{{ shown(scores[i]) }}</b></span>
          <span v-if="lives >= 0" class="arcade-figure">Lives <b>{{ lives }}</b></span>
          <span v-if="about.paced && !about.told" class="arcade-figure rate"><b>{{ rate }}</b> fps</span>
        </div>
        <div class="arcade-screen" ref="screen" role="application" tabindex="0" :aria-label="'Screen of ' + about.title"
             aria-describedby="arcade-help" :style="{ aspectRatio: wide + ' / ' + high, maxWidth: most }"
             :data-stage="state.stage" :data-frames="frames" :data-sounds="sounds">
          <canvas ref="picture" :class="{ pixelated: wide <= 320 }" aria-hidden="true"></canvas>
          <canvas ref="heat" class="arcade-heat" :class="{ pixelated: about.told }" v-show="state.heat" aria-hidden="true" :data-heats="heats"></canvas>
          <div class="arcade-veil" v-if="veil">
            <p>{{ veil }}</p>
            <button v-if="offer" class="button primary" @click="accept">{{ offer }}</button>
            <a v-if="gone" class="button" :href="about.again">Choose a game</a>
          </div>
        </div>
        <section v-if="about.told" class="told panel padded" aria-label="What it is told">
          <div class="told-line">
            <span class="label">{{ given.own ? "Mission of the level" : "Told by you" }}</span>
            <span v-if="outcome" class="told-outcome" role="status">{{ outcome }}</span>
          </div>
          <p class="told-words" :title="heeds ? HEEDED : ''">
            <span v-for="(w, i) in words" :key="i" class="told-word" :class="{ strange: w.strange }" :style="w.style" :title="w.title">{{ w.text }}</span>
            <span v-if="!words.length" class="faint">{{ given.wave.length ? "your voice" : "…" }}</span>
          </p>
          <svg v-if="given.wave.length" class="told-wave" viewBox="0 0 120 40" preserveAspectRatio="none" role="img" :aria-label="'What it hears, ' + given.seconds.toFixed(1) + ' seconds'">
            <title>{{ "What it hears, " + given.seconds.toFixed(1) + " seconds. " + (heeds ? HEEDED : "") }}</title>
            <rect v-for="(s, i) in stretches" :key="'s' + i" :x="120 * s.from" :width="120 * (s.to - s.from)" y="0" height="40" fill="var(--accent)" :opacity="s.share"></rect>
            <rect v-for="(h, i) in given.wave" :key="'w' + i" :x="i * 120 / given.wave.length" :width="80 / given.wave.length" :y="20 - h / 5" :height="Math.max(0.4, h / 2.5)" fill="currentColor"></rect>
          </svg>
          <ul v-if="sentences.length" class="told-remarks"><li v-for="(s, i) in sentences" :key="i" :role="i === 0 && given.wrong ? 'alert' : undefined" :class="{ error: i === 0 && given.wrong }">{{ s }}</li></ul>
          <slot></slot>
        </section>
        <div v-for="(seat, s) in about.seats.slice(0, 1)" :key="'t' + s" class="arcade-touch" role="group" aria-label="Buttons of the game">
          <div class="arcade-cross">
            <button v-for="b in crossed(seat)" :key="b.name" tabindex="-1" class="button" :aria-label="said(b.name)" :class="['at-' + b.name, { held: held[s] >> b.bit & 1 }]"
                    @pointerdown.prevent="touch($event, s, b.bit, true)" @pointerup.prevent="touch($event, s, b.bit, false)"
                    @pointercancel="touch($event, s, b.bit, false)" @contextmenu.prevent @click="tap($event, s, b.bit)">{{ b.label }}</button>
          </div>
          <div class="arcade-others">
            <button v-for="b in others(seat)" :key="b.name" tabindex="-1" class="button" :aria-label="said(b.name)" :class="{ held: held[s] >> b.bit & 1 }"
                    @pointerdown.prevent="touch($event, s, b.bit, true)" @pointerup.prevent="touch($event, s, b.bit, false)"
                    @pointercancel="touch($event, s, b.bit, false)" @contextmenu.prevent @click="tap($event, s, b.bit)">{{ b.label }}</button>
          </div>
        </div>
      </div>
      <div class="side">
        <div class="panel padded stack arcade-tools" role="group" aria-label="Steering of the game">
          <div class="row">
            <button class="button" :disabled="!going" @click="pause">{{ { ready: 'Start', paused: 'Go on' }[state.stage] || 'Pause' }} <kbd>P</kbd></button>
            <button v-if="about.told && !about.seats.length" class="button" :disabled="!going" @click="order(STEP, 0)">Step <kbd>.</kbd></button>
            <button class="button" :disabled="state.stage === 'loading'" @click="restart">{{ about.told ? 'New level' : 'Restart' }} <kbd>R</kbd></button>
            <button v-if="about.told" class="button" :disabled="state.stage === 'loading'" @click="order(AGAIN, 0)">Same level</button>
            <button v-if="state.looks" class="button" :aria-pressed="state.heat ? 'true' : 'false'" @click="looks">Where it looks <kbd>L</kbd></button>
            <button v-if="state.sounds" class="button" :aria-pressed="state.sound ? 'true' : 'false'" @click="sound">Sound <kbd>M</kbd></button>
          </div>
          <div v-if="about.paced" class="segments" role="group" aria-label="Speed">
            <button v-for="[p, words] in about.speeds" :key="p" class="button segment" :aria-pressed="state.speed === p ? 'true' : 'false'"
                    @click="order(SPEED, p)">{{ words }}</button>
          </div>
        </div>
        <div v-if="thought" class="panel padded told-thought" role="group" aria-label="What it is about to do">
          <h2 class="subheading">It is about to: {{ thought.names[thought.chosen] }}</h2>
          <div v-for="(p, i) in thought.policy || []" :key="i" class="told-bar" :class="{ chosen: i === thought.chosen }"
               :title="'The probability that its policy gives to: ' + thought.names[i]">
            <span>{{ thought.names[i] }}</span><span class="told-track"><span :style="{ width: 100 * p + '%' }"></span></span><b>{{ (100 * p).toFixed(0) }} %</b>
          </div>
          <p v-if="thought.value !== null" class="faint" title="The reward that its network expects from here on, discounted">Value {{ thought.value.toFixed(2) }}</p>
          <p v-if="state.looks" class="faint" :title="HEEDED">{{ state.heat ? "Bright cells and words speak for it: point at a word." : "Press “Where it looks” to see why." }}</p>
        </div>
        <div v-if="about.seats.length" class="panel padded arcade-keys">
          <h2 class="subheading">Keys</h2>
          <table v-for="(seat, s) in about.seats" :key="s">
            <caption v-if="about.seats.length > 1">Player {{ s + 1 }}</caption>
            <tr v-for="b in seat" :key="b.name"><th scope="row">{{ said(b.name) }}</th>
              <td><kbd v-for="k in b.keys" :key="k">{{ key(k) }}</kbd></td></tr>
          </table>
        </div>
        <a class="button" :href="about.again">Another game</a>
      </div>
      <span class="sr-only" role="status" aria-live="polite">{{ spoken }}</span>
      <span class="sr-only" id="arcade-help">{{ help }}</span>
    </div>`,
  props: { about: Object },
  data() {
    return {
      SPEED, STEP, AGAIN, HEEDED, state: { stage: "loading", words: "", looks: false, heat: false, sounds: false, sound: false, speed: 100, hears: false },
      given: { text: "", own: true, judged: true, unknown: [], remarks: [], wave: [], wrong: "", seconds: 0 }, thought: null, heeded: null, scores: [0, 0], lives: -1,
      rate: "–", wide: 160, high: 210, frames: 0, heats: 0, sounds: 0, held: [], lost: "", gone: false, spoken: "",
    };
  },
  computed: {
    going() { return ["playing", "paused", "ready"].includes(this.state.stage); },
    veil() {
      if (this.lost) return this.lost;
      const stage = this.state.stage;
      if (this.about.told && ["paused", "over"].includes(stage)) return "";  // one looks at where it stands
      if (stage === "loading") return "Loading …";
      if (stage === "ready") return "Press a key of the game to begin";
      if (stage === "paused") return "Paused";
      if (stage === "over" || stage === "ended") return this.state.words || "It has ended";
      return "";
    },
    outcome() { return { over: this.state.words, paused: "Paused" }[this.state.stage] || ""; },
    heeds() { return this.state.heat ? this.heeded : null; },
    words() {
      const strange = this.given.unknown.map((w) => w.toLowerCase()), weights = this.heeds ? this.heeds.words : [];
      const most = Math.max(1, ...weights), found = this.given.text.match(/[\p{L}\p{N}_]+/gu) || [];
      return found.slice(0, 80).map((text, i) => {
        const weight = weights[i], share = weight > 0 ? weight / most : 0, known = !strange.includes(text.toLowerCase());
        return { text, strange: !known, style: { background: `color-mix(in srgb, var(--accent) ${Math.round(70 * share)}%, transparent)` },
          title: (known ? "" : "No mission of this level has this word: the agent does not know it. ")
            + (weight === undefined ? "" : `${weight.toFixed(2)} bits: with this word the odds of “${this.thought ? this.thought.names[this.thought.chosen] : "its action"}” are ${(2 ** weight).toPrecision(2)} times what they are without it`) };
      });
    },
    stretches() {
      const all = this.heeds ? this.heeds.stretches : [], most = Math.max(1, ...all.map((s) => s[2]));
      return all.filter((s) => s[2] > 0).map(([from, to, weight]) => ({ from, to, share: 0.45 * weight / most }));
    },
    sentences() {
      const { wrong, unknown, remarks } = this.given, said = (s) => s.slice(0, 1).toUpperCase() + s.slice(1);
      const strange = unknown.length ? [`The agent does not know the word${unknown.length > 1 ? "s" : ""} ${unknown.slice(0, 12).map((w) => `“${w}”`).join(", ")}${unknown.length > 12 ? " and more" : ""}`] : [];
      return [...(wrong ? [said(wrong)] : []), ...strange, ...remarks.map(said)];
    },
    offer() {
      if (this.lost) return "";
      return { ready: "Start", paused: "Go on", over: "Play again", ended: "Begin again" }[this.state.stage] || "";
    },
    most() {  // what it is told must be seen too
      return this.about.told ? `min(100%, max(280px, calc((100vh - 450px) * ${this.wide / this.high})))`
        : `min(100%, calc((100vh - 200px) * ${this.wide / this.high}))`;
    },
    help() {
      const keys = this.about.seats.map((seat) => seat.map((b) => `${this.said(b.name)}: ${b.keys.map(this.key).join(" or ")}`).join(", "));
      return [...keys, "P pauses, R begins again" + (this.state.looks ? ", L shows where the agent looks" : "") + (this.state.sounds ? ", M turns the sound on or off" : "")].join(". ");
    },
  },
  watch: {
    outcome(words) { if (words) this.spoken = words; },
    veil(words) { if (words) this.spoken = words; else if (this.state.stage === "playing") this.spoken = "Playing"; },
  },
  mounted() {
    this.held = this.about.seats.map(() => 0);
    this.keys = {};
    this.about.seats.forEach((seat, s) => seat.forEach((b, bit) => b.keys.forEach((k) => { this.keys[k] = [s, bit]; })));
    this.listeners = [
      [window, "keydown", (e) => this.down(e)], [window, "keyup", (e) => this.up(e)], [window, "blur", () => this.release()],
      [document, "visibilitychange", () => this.hide()],
    ];
    for (const [on, what, does] of this.listeners) on.addEventListener(what, does);
    this.base = null;  // where the first frame would stand, in samples of the browser's clock
    this.acked = 0; this.ackedAt = 0; this.arrived = 0; this.drawn = 0; this.told = 0; this.rated = 0;
    this.connect();
    this.$refs.screen.focus({ preventScroll: true });
  },
  unmounted() {
    this.closed = true;
    for (const [on, what, does] of this.listeners) on.removeEventListener(what, does);
    if (this.socket) this.socket.close();
    if (this.audio) this.audio.close();
  },
  methods: {
    connect() {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      this.socket = new WebSocket(`${scheme}://${location.host}${this.about.socket}`);
      this.socket.binaryType = "arraybuffer";
      this.socket.onmessage = (event) => this.heard(event.data);
      this.socket.onopen = () => { this.lost = ""; this.acked = 0; this.drawn = 0; };
      this.socket.onclose = (event) => {
        if (this.closed) return;
        this.gone = [NOT_HERE, ELSEWHERE, NONSENSE].includes(event.code);
        this.lost = { [NOT_HERE]: "This game is not here any more", [ELSEWHERE]: "This game goes on in another tab",
          [NONSENSE]: "The server did not understand this page: load it again" }[event.code] || "The connection is lost; trying again …";
        if (!this.gone) setTimeout(() => this.closed || this.connect(), 1000);
      };
    },
    send(...bytes) { if (this.socket.readyState === 1) this.socket.send(new Uint8Array(bytes)); },
    order(which, value) { this.send(ORDER, which, value); this.$refs.screen.focus({ preventScroll: true }); },
    heard(data) {
      if (typeof data === "string") {
        const before = this.state.stage, told = JSON.parse(data);
        if (told.note) {
          this[told.note] = told;
          if (told.note !== "heeded") this.heeded = null;  // of what it thought before
          return;
        }
        this.state = told;
        if (before === "loading" && this.state.looks && !this.state.heat && !this.about.seats.length) this.order(LOOKS, 1);
        if (!this.state.heat) this.clearHeat();
        if (this.state.sound && !this.audio) this.send(ORDER, SOUND, 0);  // the page was loaded anew: silent until asked
        this.base = null;
        return;
      }
      const view = new DataView(data);
      if (view.getUint8(0) === HEARD) { this.play(view.getUint32(4, true), new Uint8Array(data, SOUND_HEAD)); return; }
      if (view.getUint8(0) !== FRAME) { this.drawHeat(data); return; }
      const number = view.getUint32(4, true);
      this.arrived += 1;
      this.figures(view);
      if (data.byteLength === HEAD) { this.seen(number); return; }
      createImageBitmap(new Blob([new Uint8Array(data, HEAD)], { type: "image/png" })).then((picture) => {
        if (number >= this.drawn) {
          this.drawn = number;
          const canvas = this.$refs.picture;
          if (!canvas) return;
          if (canvas.width !== picture.width || canvas.height !== picture.height) {
            canvas.width = this.wide = picture.width; canvas.height = this.high = picture.height;
          }
          canvas.getContext("2d").drawImage(picture, 0, 0);
        }
        picture.close();
        this.seen(number);
      });
    },
    seen(number) {  // told at most some 20 times a second
      const now = performance.now();
      if (now - this.told > 200) { this.told = now; this.frames = this.arrived; }
      if (number - this.acked < 3 && now - this.ackedAt < 50) return;
      this.acked = number; this.ackedAt = now;
      this.send(SEEN, number & 255, number >> 8 & 255, number >> 16 & 255, number >>> 24);
    },
    figures(view) {
      const lives = view.getInt16(2, true), rate = view.getFloat32(8, true), now = performance.now();
      const scores = [view.getFloat32(12, true), view.getFloat32(16, true)];
      if (lives !== this.lives) {
        if (lives >= 0 && lives < this.lives) this.spoken = `${lives} ${lives === 1 ? "life" : "lives"} left`;
        this.lives = lives;
      }
      if (scores[0] !== this.scores[0] || scores[1] !== this.scores[1]) {
        this.scores = scores;
        if (now - (this.spokenAt || 0) > 3000) {
          this.spokenAt = now;
          this.spoken = `Score ${(this.about.players.length > 1 ? scores : scores.slice(0, 1)).map(this.shown).join(" to ")}`;
        }
      }
      if (now - this.rated > 500) { this.rated = now; this.rate = rate > 0 ? rate.toFixed(0) : "–"; }
    },
    shown(value) { return Number((value || 0).toFixed(2)).toString(); },
    drawHeat(data) {
      const bytes = new Uint8Array(data), rows = bytes[1], columns = bytes[2], canvas = this.$refs.heat;
      if (!canvas || !this.state.heat) return;
      canvas.width = columns; canvas.height = rows;
      const picture = new ImageData(columns, rows);
      for (let i = 0; i < rows * columns; i += 1) {
        const heat = bytes[3 + i] / 255, at = Math.min(3.999, heat * 4), low = INFERNO[at | 0], high = INFERNO[(at | 0) + 1];
        for (let c = 0; c < 3; c += 1) picture.data[4 * i + c] = low[c] + (high[c] - low[c]) * (at % 1);
        picture.data[4 * i + 3] = heat < 0.05 ? 0 : 255 * 0.75 * heat;
      }
      canvas.getContext("2d").putImageData(picture, 0, 0);
      this.heats += 1;
    },
    play(number, bytes) {  // in the place of its frame: what lies between is silence
      const slow = 100 / this.state.speed, now = this.audio ? this.audio.currentTime * RATE : 0, place = number * CHUNK * slow;
      if (!this.audio || this.audio.state !== "running" || bytes.length !== CHUNK) return;
      const wait = this.base === null ? -1 : this.base + place - now;
      if (wait < 0 || wait > FAR * RATE) this.base = Math.ceil(now + AHEAD * RATE) - place;  // the game has waited, or hurried
      const buffer = this.audio.createBuffer(1, CHUNK, RATE), samples = buffer.getChannelData(0);
      for (let i = 0; i < CHUNK; i += 1) samples[i] = (bytes[i] - 128) / 128;
      const source = this.audio.createBufferSource();
      source.buffer = buffer;
      source.playbackRate.value = 1 / slow;
      source.connect(this.volume);
      source.start((this.base + place) / RATE);
      this.sounds += 1;
    },
    clearHeat() {
      const canvas = this.$refs.heat;
      if (canvas) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    },
    accept() { if (["over", "ended"].includes(this.state.stage)) this.restart(); else this.order(PAUSE, 0); },
    pause() { if (this.going) this.order(PAUSE, this.state.stage === "playing" ? 1 : 0); },
    restart() { this.order(RESTART, 0); },
    looks() { if (this.state.looks) this.order(LOOKS, this.state.heat ? 0 : 1); },
    sound() {  // a browser lets nothing be heard before somebody has pressed something
      if (!this.state.sounds) return;
      if (!this.audio) {
        this.audio = new AudioContext({ sampleRate: RATE });  // the console's own: no seams between frames
        this.volume = new GainNode(this.audio, { gain: 0.5 });
        this.volume.connect(this.audio.destination);
      }
      this.base = null;
      if (!this.state.sound) this.audio.resume();
      this.order(SOUND, this.state.sound ? 0 : 1);
    },
    hide() {
      if (document.hidden && this.state.stage === "playing") {
        this.release();
        this.slept = !this.about.seats.length;
        this.send(ORDER, PAUSE, 1);
      } else if (!document.hidden && this.slept) {
        this.slept = false;
        this.send(ORDER, PAUSE, 0);
      }
    },
    down(event) {
      const on = event.target && event.target.tagName;
      if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT", "TEXTAREA"].includes(on)) return;
      const meant = this.keys[event.code];
      if (["BUTTON", "A"].includes(on) && ["Space", "Enter"].includes(event.code)) return;  // it presses what is focused
      if (meant) {
        event.preventDefault();
        if (!event.repeat) this.press(meant[0], meant[1], true);
        return;
      }
      const does = { KeyP: this.pause, KeyR: this.restart, KeyL: this.looks, KeyM: this.sound, Period: () => this.about.told && this.order(STEP, 0) }[event.code];
      if (does && !event.repeat) { event.preventDefault(); does(); }
    },
    up(event) {
      const meant = this.keys[event.code];
      if (meant) this.press(meant[0], meant[1], false);
    },
    touch(event, seat, bit, on) {
      if (on) event.target.setPointerCapture(event.pointerId);
      this.press(seat, bit, on);
    },
    tap(event, seat, bit) {  // of a screen reader, which does not touch
      if (event.detail === 0) { this.press(seat, bit, true); setTimeout(() => this.press(seat, bit, false), 120); }
    },
    press(seat, bit, on) {
      const mask = on ? this.held[seat] | 1 << bit : this.held[seat] & ~(1 << bit);
      if (mask === this.held[seat]) return;
      this.held[seat] = mask;
      this.send(KEYS, seat, mask & 255, mask >> 8);
    },
    release() { this.held.forEach((mask, seat) => { if (mask) { this.held[seat] = 0; this.send(KEYS, seat, 0, 0); } }); },
    crossed(seat) { return this.numbered(seat).filter((b) => WAYS.includes(b.name)); },
    others(seat) { return this.numbered(seat).filter((b) => !WAYS.includes(b.name)); },
    numbered(seat) { return seat.map((b, bit) => ({ ...b, bit })); },
    said(name) { return name[0].toUpperCase() + name.slice(1); },
    key(code) { return NAMES[code] || code.replace(/^(Key|Digit|Numpad)/, ""); },
  },
};
