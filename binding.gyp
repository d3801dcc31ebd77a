{
  # The native build is described in addon/CMakeLists.txt, which cmake-js drives; this target only runs it, so that
  # `npm install` and every tool that looks for a binding.gyp build the same thing.
  "targets": [
    {
      "target_name": "tsrun",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["addon/CMakeLists.txt"],
          "outputs": ["build/Release/tsrun.node"],
          "action": ["node", "scripts/build.mjs", "native"]
        }
      ]
    }
  ]
}
