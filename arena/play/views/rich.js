// HTML that the server wrote, in which things with data-node or data-action can be picked. What has the focus keeps it
// when the text is written anew, and what is current is scrolled into view.
export default {
  template: `<div ref="root" v-html="content" @click="pick"></div>`,
  props: { content: String, follow: Boolean },
  beforeUpdate() {
    const focused = this.$refs.root.contains(document.activeElement) ? document.activeElement : null;
    this.again = focused ? { ...focused.dataset } : null;
  },
  updated() {
    if (this.again) {
      const [[name, value]] = [...Object.entries(this.again), ["", ""]];
      const found = name && this.$refs.root.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
      if (found) found.focus({ preventScroll: true });
    }
    const current = this.follow && this.$refs.root.querySelector("[aria-current]");
    if (current) {
      const box = this.$refs.root;
      const top = current.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
      if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 34) box.scrollTop = top - box.clientHeight / 2;
    }
  },
  methods: {
    pick(event) {
      const found = event.target.closest("[data-node], [data-action]");
      if (!found) return;
      const name = "node" in found.dataset ? "node" : "action";
      this.$emit("pick", name, Number(found.dataset[name]));
    },
  },
};
